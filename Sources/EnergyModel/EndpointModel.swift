import InferenceTypes

/// The cost model of one endpoint: a profile's curve and the rules of its engine, asked what one
/// more request would cost. A pure function of the request's size and the endpoint's load.
public struct EndpointModel: Sendable {
    public struct Parameters: Hashable, Sendable {
        /// H: what the network and the server add to the time to first token.
        public var overhead = TimeSpan.milliseconds(5)
        /// The window over which prefill utilisation is a mean.
        public var prefillWindow = TimeSpan.seconds(8)
        /// Reading the KV cache: joules per gigabyte. Fits over chat and long-context runs
        /// gave 0.15 to 0.24 on HBM.
        public var kvJoulesPerGigabyte = 0.2
        /// Prefill can take at most this share of the engine's time in a prediction; it bounds
        /// the predicted token gap at 20 iterations.
        public var highestPrefillShare = 0.95

        public init() {}
        public static let defaults = Parameters()
    }

    /// How the engine mixes prefill into decoding.
    public enum PrefillRule: Hashable, Sendable {
        /// Chunks of prompts share the steps of running sequences.
        case shared
        /// A prompt is computed alone and before any decode step: running sequences stand
        /// still for all of it.
        case exclusive
        /// There is no prefill: one forward pass answers a whole batch (classifiers).
        case onePass
    }

    public internal(set) var curve: IterationCurve
    public let prefillRule: PrefillRule
    @usableFromInline var parameters: Parameters
    @usableFromInline var prefillRate: Double
    /// c_p = (P_p - P0) / R_p: energy above idle per uncached input token.
    /// H100: (640 - 120) W / 22 000 per s = 0.02364 J; NPU (assumed): 175 / 9 000 = 0.01944 J.
    public internal(set) var prefillEnergyPerToken: JoulesPerToken
    /// e2 x kv: joules per token of context per output token.
    /// 0.2 J/GB x 128 kB = 2.56e-5 J.
    @usableFromInline var kvEnergyPerStep: Double
    @usableFromInline var profileProvenance: Provenance
    /// Relative standard deviation of what prefill is said to cost.
    @usableFromInline var prefillDeviation: Double

    public init(
        profile: Profile, engine: EngineKind, parameters: Parameters = .defaults
    ) {
        self.parameters = parameters
        curve = IterationCurve(profile)
        let rate = profile.prefillTokensPerSecond
        prefillRate = rate > 0 && rate.isFinite ? rate : 0
        prefillRule =
            prefillRate == 0 ? .onePass : (engine == .vllmRBLN ? .exclusive : .shared)
        let aboveIdle = max(profile.prefillPower.value - profile.idlePower.value, 0)
        prefillEnergyPerToken = JoulesPerToken(prefillRate == 0 ? 0 : aboveIdle / prefillRate)
        kvEnergyPerStep =
            parameters.kvJoulesPerGigabyte * max(profile.kvKilobytesPerToken, 0) * 1e-6
        profileProvenance = profile.provenance
        prefillDeviation = IterationCurve.deviation(profile.provenance)
    }

    /// R_p; 0: there is no prefill apart from the one pass.
    public var tokensPerPrefillSecond: Double { prefillRate }

    /// P_p, what the group draws while it prefills.
    var prefillPower: Watts {
        curve.idlePower + Watts(prefillEnergyPerToken.value * prefillRate)
    }

    /// `pre = (Lin - cached) / R_p`. H100, 1 155 tokens: 52.5 ms. NPU: 128.3 ms.
    @inlinable
    @inline(__always)
    public func prefillTime(of size: RequestSize) -> TimeSpan {
        guard prefillRate > 0 else { return .zero }
        return TimeSpan(seconds: Double(size.uncachedInputTokens) / prefillRate)
    }

    /// Seconds of the engine, decoding at full batch, that `outputTokens` tokens take: the
    /// measure by which unlike endpoints can be compared for load.
    /// `W = Lout x tau(Bmax) / Bmax`. H100 (192): 200 tokens = 24.3 ms; Arm CPU (32): 1.36 s.
    public func workTime(outputTokens: Int) -> TimeSpan {
        let perToken = curve.iterationTime(batch: curve.capacity).seconds / Double(curve.capacity)
        return TimeSpan(seconds: Double(max(outputTokens, 0)) * perToken)
    }

    public func estimate(_ size: RequestSize, on load: EndpointLoad) -> Estimate {
        if prefillRule == .onePass, !size.generates { return onePassEstimate(size, on: load) }
        if !size.generates { return prefillOnlyEstimate(size, on: load) }
        return generationEstimate(size, on: load)
    }

    @inlinable
    @inline(__always)
    func provenance(batch: Int) -> Provenance {
        curve.provenance(batch: batch).combined(with: profileProvenance)
            .combined(with: .modelled)
    }
}
