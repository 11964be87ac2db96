/// What the engine is asked to do with a request.
public enum EngineTask: String, CaseIterable, Sendable {
    /// Prefill, then one output token per iteration.
    case generate
    /// One pass over the input; the answer is there when the pass ends.
    case embed, classify
}

/// Why a request ended of itself.
public enum FinishReason: String, CaseIterable, Sendable {
    /// The model had said what it had to say.
    case stop
    /// `max_tokens` or the context was used up.
    case length
}

/// One request as the physics sees it: sizes, no text.
public struct EngineRequest: Hashable, Sendable {
    /// Chosen by the caller; must not be in use by another live request of the same engine.
    public var id: UInt64
    public var task: EngineTask
    /// Tokens of prompt, at least 1.
    public var inputTokens: Int
    /// Of these, how many lie in the prefix cache and need no prefill.
    public var cachedTokens: Int
    /// Tokens to generate; the engine cuts it where the context ends.
    public var outputTokens: Int
    /// The reason given when all of `outputTokens` are out.
    public var finishReason: FinishReason
    /// What prompt and answer consist of, if others may share their beginning: for every
    /// `prefixBlockTokens` tokens a hash of all tokens up to there. Blocks behind the prompt are
    /// those of the answer. Empty: nobody shares it.
    public var prefix: [UInt64] = []
    public static let prefixBlockTokens = 64

    public init(
        id: UInt64, task: EngineTask = .generate, inputTokens: Int, cachedTokens: Int = 0,
        outputTokens: Int = 0, finishReason: FinishReason = .stop
    ) {
        self.id = id
        self.task = task
        self.inputTokens = max(1, inputTokens)
        self.cachedTokens = max(0, min(cachedTokens, inputTokens))
        self.outputTokens = max(0, outputTokens)
        self.finishReason = finishReason
    }
}
