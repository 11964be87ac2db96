/// How much work a request is: what the cost model needs to know of it, and no more.
public struct RequestSize: Hashable, Sendable {
    /// Prompt tokens, expected or counted.
    public var inputTokens: Int
    /// Of these, how many the engine is expected to find in its prefix cache.
    public var cachedInputTokens: Int
    /// Expected output tokens of one sequence.
    public var outputTokens: Int
    /// Sequences that decode side by side (`n` choices), or the items of a closed batch.
    public var sequences: Int
    /// False for tasks without decoding: embeddings, classification.
    public var generates: Bool

    public init(
        inputTokens: Int, cachedInputTokens: Int = 0, outputTokens: Int, sequences: Int = 1,
        generates: Bool = true
    ) {
        self.inputTokens = max(inputTokens, 0)
        self.cachedInputTokens = min(max(cachedInputTokens, 0), self.inputTokens)
        self.outputTokens = max(outputTokens, 0)
        self.sequences = max(sequences, 1)
        self.generates = generates
    }

    /// Tokens that have to be computed before the first one comes out.
    public var uncachedInputTokens: Int { inputTokens - cachedInputTokens }
}
