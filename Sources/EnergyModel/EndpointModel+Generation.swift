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
    func generationEstimate(_ size: RequestSize, on load: EndpointLoad) -> Estimate {
        let prefill = prefillTime(of: size)
        let after = saturatingSum(load.batch, size.sequences)
        let step = curve.iterationTime(batch: after)
        let wait = slotWait(for: after - curve.capacity, on: load)
        let firstToken =
            parameters.overhead + load.queuedPrefill + prefill + wait + step
        let gap = interTokenSeconds(step: step, prefill: prefill, on: load)
        let duration = firstToken.seconds + Double(max(size.outputTokens - 1, 0)) * gap
        let energy = generationEnergy(size, on: load)
        return Estimate(
            marginalEnergy: energy,
            timeToFirstToken: firstToken,
            interTokenLatency: TimeSpan(seconds: gap),
            runningInterTokenLatency: runningGap(gap, prefill: prefill, on: load),
            iterationTime: step, prefillStall: load.recentPrefill + prefill,
            duration: TimeSpan(seconds: duration),
            energyDeviation: deviation(of: energy, size, batch: after),
            provenance: provenance(batch: after))
    }

    /// The part that is prefill as unsure as prefill, the rest as the curve at that batch.
    func deviation(of energy: Joules, _ size: RequestSize, batch: Int) -> Joules {
        let prefill = prefillEnergyPerToken.value * Double(size.uncachedInputTokens)
        let rest = max(energy.value - prefill, 0)
        return Joules(prefill * prefillDeviation + rest * curve.deviation(batch: batch))
    }

    private func generationEnergy(_ size: RequestSize, on load: EndpointLoad) -> Joules {
        let output = Double(size.outputTokens)
        let after = saturatingSum(load.batch, size.sequences)
        let capacity = curve.capacity
        var decode =
            curve.energyAboveIdle(batch: after).value
            - curve.energyAboveIdle(batch: load.batch).value
        let beyond = after - max(load.batch, capacity)
        if beyond > 0 {
            let full = curve.energyAboveIdle(batch: capacity).value / Double(capacity)
            decode += Double(beyond) * full
        }
        let tail = tailEnergy(size, decode: decode, on: load)
        let prefill = prefillEnergyPerToken.value * Double(size.uncachedInputTokens)
        let context = Double(size.inputTokens) + output / 2
        let cache = kvEnergyPerStep * Double(size.sequences) * output * context
        return Joules(prefill + output * decode + tail + cache)
    }

    /// On an empty endpoint there is none: there every token is paid in full already.
    private func tailEnergy(
        _ size: RequestSize, decode: Double, on load: EndpointLoad
    ) -> Double {
        let alone = curve.energyAboveIdle(batch: size.sequences).value
        guard load.batch > 0, decode < alone else { return 0 }
        let batch = Double(load.batch)
        let shared = 2 * Double(load.remainingTokens) / (batch + 1)
        let rest = max(Double(size.outputTokens) - shared, 0)
        return rest * Mathematics.exp(-batch / 4) * (alone - decode)
    }

    /// `ITL = tau / (1 - rho - pre / window)`: the share of time that prefill takes is lost to
    /// decoding. Worked: tau 12.426 ms, rho 0.2, pre 52.5 ms: 12.426 / 0.79344 = 15.66 ms.
    private func interTokenSeconds(
        step: TimeSpan, prefill: TimeSpan, on load: EndpointLoad
    ) -> Double {
        let window = max(parameters.prefillWindow.seconds, 0.001)
        let share = load.prefillUtilisation + prefill.seconds / window
        return step.seconds / (1 - min(share, parameters.highestPrefillShare))
    }

    /// Where prefill is exclusive, those already running also stand still for all of it, which
    /// spreads over the tokens they still have to come: `+ pre / (remaining / B)`.
    private func runningGap(
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
    private func slotWait(for waiting: Int, on load: EndpointLoad) -> TimeSpan {
        guard waiting > 0, load.batch > 0 else { return .zero }
        let mean = Double(load.remainingTokens) / Double(load.batch)
        let step = curve.iterationTime(batch: curve.capacity).seconds
        return TimeSpan(
            seconds: 2 * mean * step * Double(waiting) / Double(curve.capacity + 1))
    }
}

func saturatingSum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? (a > 0 ? .max : .min) : sum
}
