import EmulatedEngine
import InferenceTypes

/// What a model server is, beside its physics.
public struct ServiceOptions: Sendable {
    public var kind: EngineKind
    public var profile: Profile
    /// The id on `/v1/models`; requests for another model get 404 (not on llama-server, which
    /// does not look).
    public var model: String
    public var seed: UInt64
    public var engine: EngineOptions
    public var faults: FaultPlan
    /// Prompts that begin alike share their beginning, and answers say how much of it was cached.
    public var hasPrefixCache = false
    /// Answers say how much of their prompt was cached; vLLM's do only if told to.
    public var saysCachedTokens = true
    /// `/metrics` is there on llama-server only with `--metrics`.
    public var hasMetrics = true
    /// Wall-clock seconds since 1970 at the monotonic origin, for `created`.
    public var epoch: Int = 1_790_000_000

    public init(
        kind: EngineKind, profile: Profile, model: String, seed: UInt64 = 1,
        engine: EngineOptions = EngineOptions(), faults: FaultPlan = FaultPlan()
    ) {
        self.kind = kind
        self.profile = profile
        self.model = model
        self.seed = seed
        self.engine = engine
        self.faults = faults
    }
}
