/// What may be said of a model on an accelerator group before anybody measured it: bytes that a
/// step has to stream, and what streaming costs. Everything that follows from it is assumed, with
/// a standard deviation of half its value.
///
///     W(B)  = Wd + We (1 - (1 - k / E)^B)      GB streamed by a step of B sequences
///     t(B)  = W(B) / (0.65 BW) + 0.01 B Wa / (0.65 BW)
///     E(B)  = 0.19 J/GB x W(B) + 6 pJ x N x B  whole group, idle power included
///     P(B)  = E(B) / t(B), between 1.05 P0 and the TDP;  P0 = 17 % of the TDP
///
/// `Wd` the weights every step reads, `We` those of the experts, of which each token uses `k` of
/// `E`; `Wa` those that one token uses, `N` their number. Where the constants are from: 18 dense
/// models of 8 to 405 billion parameters on 1 to 8 H100 or B200 took 0.166 to 0.204 J per GB, 4 to
/// 9 pJ per parameter and token, streamed at 59 to 75 % of the peak bandwidth, and each further
/// sequence added 0.85 to 1.34 % of the first step's time. Idle: 120 of 700 W, 70 of 400 W.
///
/// Worked, 8 billion parameters in 16.1 GB on one H100 (3,350 GB/s, 700 W): t(1) = 7.39 + 0.07 =
/// 7.47 ms, E(1) = 3.06 + 0.05 = 3.11 J, P(1) = 416 W; measured at batch 8: 0.455 J per token,
/// from here 0.431.
public struct ColdStart: Hashable, Sendable {
    public struct Experts: Hashable, Sendable {
        public var count: Double
        /// Of these, how many each token uses.
        public var active: Double
        /// Share of the weights that lies in experts, 0 to 1.
        public var share: Double

        public init(count: Double, active: Double, share: Double) {
            self.count = max(count, 1)
            self.active = min(max(active, 1), self.count)
            self.share = min(max(share, 0), 1)
        }
    }

    /// All weights, as stored.
    public var weightsGigabytes: Double
    /// Of the whole group, peak.
    public var bandwidthGigabytesPerSecond: Double
    /// Of the whole group.
    public var thermalDesignPower: Watts
    public var experts: Experts?
    /// All parameters, 10^9; without it two bytes each.
    public var parametersBillions: Double?

    public static let joulesPerGigabyte = 0.19
    public static let joulesPerParameter = 6e-12
    public static let bandwidthShare = 0.65
    public static let timePerSequence = 0.01
    public static let idleShare = 0.17
    /// Floating-point operations per byte of bandwidth that prefill reaches: 0.4 of an H100's
    /// 990e12 / 3.35e12.
    public static let prefillOperationsPerByte = 118.0
    public static let prefillShare = 0.91

    public init(
        weightsGigabytes: Double, bandwidthGigabytesPerSecond: Double,
        thermalDesignPower: Watts, experts: Experts? = nil, parametersBillions: Double? = nil
    ) {
        self.weightsGigabytes = max(weightsGigabytes, 1e-3)
        self.bandwidthGigabytesPerSecond = max(bandwidthGigabytesPerSecond, 1e-3)
        self.thermalDesignPower = Watts(max(thermalDesignPower.value, 1e-3))
        self.experts = experts
        self.parametersBillions = parametersBillions
    }

    /// `W(B)`, GB.
    public func streamedGigabytes(batch: Double) -> Double {
        guard let experts else { return weightsGigabytes }
        let untouched = Mathematics.pow(1 - experts.active / experts.count, max(batch, 0))
        return weightsGigabytes * (1 - experts.share * untouched)
    }

    /// `Wa / W`: the share of all weights that one token uses.
    public var activeShare: Double { streamedGigabytes(batch: 1) / weightsGigabytes }

    /// `N`, parameters that one token uses.
    public var activeParameters: Double {
        (parametersBillions ?? weightsGigabytes / 2) * 1e9 * activeShare
    }

    public var idlePower: Watts { Watts(Self.idleShare * thermalDesignPower.value) }
    public var prefillPower: Watts { Watts(Self.prefillShare * thermalDesignPower.value) }

    /// Two operations per parameter and token.
    public var prefillTokensPerSecond: Double {
        let operations = Self.prefillOperationsPerByte * bandwidthGigabytesPerSecond * 1e9
        return operations / (2 * max(activeParameters, 1))
    }

    /// Seconds of one step.
    public func iterationSeconds(batch: Double) -> Double {
        let streamed =
            streamedGigabytes(batch: batch)
            + Self.timePerSequence * batch * weightsGigabytes * activeShare
        return streamed / (Self.bandwidthShare * bandwidthGigabytesPerSecond)
    }

    /// Joules of one step of the whole group, idle power included.
    public func iterationJoules(batch: Double) -> Double {
        Self.joulesPerGigabyte * streamedGigabytes(batch: batch)
            + Self.joulesPerParameter * activeParameters * batch
    }

    /// Points at 1, 2, 4, ... up to `maxBatch`.
    public func knots(maxBatch: Int) -> [Profile.Knot] {
        var batches: [Int] = []
        var batch = 1
        while batch < min(maxBatch, 1 << 16) {
            batches.append(batch)
            batch *= 2
        }
        batches.append(max(min(maxBatch, 1 << 16), 1))
        return batches.map { batch in
            let seconds = iterationSeconds(batch: Double(batch))
            let watts = iterationJoules(batch: Double(batch)) / seconds
            let floor = 1.05 * idlePower.value
            return Profile.Knot(
                batch: Double(batch), iterationTime: TimeSpan(seconds: seconds),
                power: Watts(min(max(watts, floor), thermalDesignPower.value)),
                provenance: .assumed)
        }
    }
}
