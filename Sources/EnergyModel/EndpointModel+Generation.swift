import InferenceTypes

/// Predictions for requests that generate tokens.
extension EndpointModel {
    /// With `B` sequences running, `n` joining, `M` the most that run at once:
    ///
    ///     energy = c_p (Lin - cached) + Lout decode + tail + n e2 kv Lout (Lin + Lout / 2)
    ///     decode = E*(min(B + n, M)) - E*(min(B, M)) + (sequences beyond M) x E*(M) / M
    ///     tail   = max(Lout - 2 R / (B + 1), 0) exp(-B / 4) (E*(n) - decode)
    ///     TTFT   = H + Q + pre + slot wait + tau(B + n)
    ///     ITL    = tau(B + n) / (1 - rho - pre / 8 s)
    ///
    /// The tail is what the request costs once those who run now have ended: if their remaining
    /// tokens `R` are spread evenly, the longest of `B` has `2 R / (B + 1)` left, and after that
    /// this one keeps the accelerator busy alone, unless others have joined, which is the surer the
    /// more run already.
    ///
    /// Inside a bucket `decode` is zero, across its edge it is a whole step of the staircase.
    /// A sequence beyond `M` runs later, in place of another: it prolongs the time at full
    /// batch, hence its share of a full step.
    ///
    /// Worked, H100, 1 155 input and 211 output tokens: prefill 27.3 J, KV cache 6.81 J; decode
    /// on the empty endpoint 211 x 1.957 = 412.8 J, as the ninth sequence 211 x 0.0762 =
    /// 16.1 J. NPU with buckets 1, 4, 8: as the second 211 x 0.4327 = 91.3 J, as the third
    /// and fourth 0 J, as the fifth 211 x 0.2500 = 52.8 J.
    @inlinable
    @inline(__always)
    public func generationEstimate(_ size: RequestSize, on load: EndpointLoad) -> Estimate {
        let times = generationTimes(size, on: load)
        let after = saturatingSum(load.batch, size.sequences)
        let duration =
            times.firstToken.seconds + Double(max(size.outputTokens - 1, 0)) * times.gapSeconds
        let energy = generationEnergy(
            size, batch: load.batch, remainingTokens: load.remainingTokens)
        return Estimate(
            marginalEnergy: energy,
            timeToFirstToken: times.firstToken,
            interTokenLatency: times.gap,
            runningInterTokenLatency: times.runningGap,
            iterationTime: times.step, prefillStall: times.stall,
            duration: TimeSpan(seconds: duration),
            energyDeviation: deviation(of: energy, size, batch: after),
            provenance: provenance(batch: after))
    }

    /// The part of ``Estimate`` that promises are held against.
    public struct Times: Sendable {
        public var firstToken: TimeSpan
        public var gap: TimeSpan
        public var runningGap: TimeSpan
        public var step: TimeSpan
        public var stall: TimeSpan
        /// The gap before it was rounded.
        @usableFromInline var gapSeconds: Double

        @inlinable
        @inline(__always)
        init(
            firstToken: TimeSpan, gap: TimeSpan, runningGap: TimeSpan, step: TimeSpan,
            stall: TimeSpan, gapSeconds: Double
        ) {
            self.firstToken = firstToken
            self.gap = gap
            self.runningGap = runningGap
            self.step = step
            self.stall = stall
            self.gapSeconds = gapSeconds
        }
    }

    /// As in ``generationEstimate(_:on:)``, without the rest of it. Inlined, as all that looks at
    /// many endpoints is: a call would be given a copy of the model and count its references.
    @inlinable
    @inline(__always)
    public func generationTimes(_ size: RequestSize, on load: EndpointLoad) -> Times {
        let prefill = prefillTime(of: size)
        let after = saturatingSum(load.batch, size.sequences)
        let step = curve.iterationTime(batch: after)
        let wait = slotWait(for: after - curve.capacity, on: load)
        let firstToken =
            parameters.overhead + load.queuedPrefill + prefill + wait + step
        let gap = interTokenSeconds(step: step, prefill: prefill, on: load)
        return Times(
            firstToken: firstToken, gap: TimeSpan(seconds: gap),
            runningGap: runningGap(gap, prefill: prefill, on: load), step: step,
            stall: load.recentPrefill + prefill, gapSeconds: gap)
    }

    /// The part that is prefill as unsure as prefill, the rest as the curve at that batch.
    @inlinable
    @inline(__always)
    func deviation(of energy: Joules, _ size: RequestSize, batch: Int) -> Joules {
        let prefill = prefillEnergyPerToken.value * Double(size.uncachedInputTokens)
        let rest = max(energy.value - prefill, 0)
        return Joules(prefill * prefillDeviation + rest * curve.deviation(batch: batch))
    }

    /// ``Estimate/marginalEnergy`` alone; `batch` and `remainingTokens` as in ``EndpointLoad``.
    @inlinable
    @inline(__always)
    public func generationEnergy(
        _ size: RequestSize, batch: Int, remainingTokens: Int
    ) -> Joules {
        let output = Double(size.outputTokens)
        let after = saturatingSum(batch, size.sequences)
        let capacity = curve.capacity
        var decode =
            curve.energyAboveIdle(batch: after).value
            - curve.energyAboveIdle(batch: batch).value
        let beyond = after - max(batch, capacity)
        if beyond > 0 {
            let full = curve.energyAboveIdle(batch: capacity).value / Double(capacity)
            decode += Double(beyond) * full
        }
        let tail = tailEnergy(
            size, decode: decode, batch: batch, remainingTokens: remainingTokens)
        let prefill = prefillEnergyPerToken.value * Double(size.uncachedInputTokens)
        let context = Double(size.inputTokens) + output / 2
        let cache = kvEnergyPerStep * Double(size.sequences) * output * context
        return Joules(prefill + output * decode + tail + cache)
    }

    /// On an empty endpoint there is none: there every token is paid in full already.
    @inlinable
    @inline(__always)
    func tailEnergy(
        _ size: RequestSize, decode: Double, batch: Int, remainingTokens: Int
    ) -> Double {
        let alone = curve.energyAboveIdle(batch: size.sequences).value
        guard batch > 0, decode < alone else { return 0 }
        let shared = 2 * Double(remainingTokens) / (Double(batch) + 1)
        let rest = Double(size.outputTokens) - shared
        guard rest > 0 else { return 0 }
        return rest * curve.solitude(batch: batch) * (alone - decode)
    }

    /// `ITL = tau / (1 - rho - pre / window)`: the share of time that prefill takes is lost to
    /// decoding. Worked: tau 12.426 ms, rho 0.2, pre 52.5 ms: 12.426 / 0.79344 = 15.66 ms.
    @inlinable
    @inline(__always)
    func interTokenSeconds(
        step: TimeSpan, prefill: TimeSpan, on load: EndpointLoad
    ) -> Double {
        let window = max(parameters.prefillWindow.seconds, 0.001)
        let share = load.prefillUtilisation + prefill.seconds / window
        return step.seconds / (1 - min(share, parameters.highestPrefillShare))
    }

    /// Where prefill is exclusive, those already running also stand still for all of it, which
    /// spreads over the tokens they still have to come: `+ pre / (remaining / B)`.
    @inlinable
    @inline(__always)
    func runningGap(
        _ gap: Double, prefill: TimeSpan, on load: EndpointLoad
    ) -> TimeSpan {
        guard load.batch > 0 else { return .zero }
        guard prefillRule == .exclusive else { return TimeSpan(seconds: gap) }
        let remaining = max(Double(load.remainingTokens) / Double(load.batch), 1)
        return TimeSpan(seconds: gap + prefill.seconds / remaining)
    }

    /// Time until `waiting` of the running sequences have ended. If their remaining lengths are
    /// uniform with mean `R`, the k-th of M ends after `2 R tau(M) k / (M + 1)`.
    /// Worked: M = 32, R = 100, tau = 217.2 ms, k = 3: 2 x 100 x 0.2172 x 3 / 33 = 3.95 s.
    @inlinable
    @inline(__always)
    func slotWait(for waiting: Int, on load: EndpointLoad) -> TimeSpan {
        guard waiting > 0, load.batch > 0 else { return .zero }
        let mean = Double(load.remainingTokens) / Double(load.batch)
        let step = curve.iterationTime(batch: curve.capacity).seconds
        return TimeSpan(
            seconds: 2 * mean * step * Double(waiting) / Double(curve.capacity + 1))
    }
}

@inlinable
@inline(__always)
func saturatingSum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? (a > 0 ? .max : .min) : sum
}
