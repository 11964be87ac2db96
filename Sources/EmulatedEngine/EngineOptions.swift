import InferenceTypes

/// Settings of one emulated engine beside its profile.
public struct EngineOptions: Sendable {
    /// Tokens that one step may work on: decodes first, the rest for prefill chunks
    /// (vLLM: `--max-num-batched-tokens`). llama-server shares `ubatchTokens` instead.
    public var maxBatchedTokens = 2_048
    /// llama-server's physical batch (`--ubatch-size`).
    public var ubatchTokens = 512
    /// Most sequences that run at once; `nil`: the profile's figure.
    public var maxSequences: Int?
    /// llama-server's `--parallel`; `nil`: as `maxSequences`.
    public var slots: Int?
    /// Blocks in the KV pool; `nil`: 65,536 on GPUs, 128 on NPUs. llama-server has no pool.
    public var kvBlocks: Int?
    /// Tokens per KV block; `nil`: 16 on GPUs, 4,096 on NPUs.
    public var kvBlockTokens: Int?
    /// Tokens in the prefix cache; `nil`: the blocks of the pool that nobody uses, or 4,096 for
    /// each slot of llama-server.
    public var prefixCacheTokens: Int?
    /// Longest context, prompt and output together; on llama-server that of one slot.
    public var maxModelLength = 131_072
    /// Requests that may wait; `nil`: any number.
    public var maxWaiting: Int?
    /// Standard deviation of a step's duration and of its power, each relative to its mean
    /// (0.05 = 5 %). Drawn anew for every step.
    public var noise = 0.0
    /// The truth's durations over the profile's: what predictions get wrong.
    public var timeFactor = 1.0
    /// The truth's watts over the profile's, idle included.
    public var powerFactor = 1.0
    /// Nothing runs until this long after the start; requests wait.
    /// The board's own power limit: it slows its clock until it draws no more. `nil`: none.
    public var boardLimit: Watts?
    public var warmUp = TimeSpan.zero
    public var reporting = TokenReporting.everyToken

    public init() {}
}
