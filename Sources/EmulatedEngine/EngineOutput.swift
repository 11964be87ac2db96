import InferenceTypes

/// What the engine has to tell, in the order in which it happened.
public enum EngineOutput: Equatable, Sendable {
    /// The request left the queue and is part of the step that begins at `at`. Once per request.
    /// So many of its input tokens were found in the prefix cache.
    case started(id: UInt64, at: MonotonicTime, cachedTokens: Int = 0)
    /// Output tokens `firstIndex ..< firstIndex + count` came out at `at`.
    case tokens(id: UInt64, firstIndex: Int, count: Int, at: MonotonicTime)
    /// The last word about a request that ran to its end.
    case finished(id: UInt64, reason: FinishReason, at: MonotonicTime, energy: RequestEnergy)
    /// The last word about a request that was never queued.
    case rejected(id: UInt64, reason: RejectionReason, at: MonotonicTime)
    /// The engine was asleep and serves again.
    case awake(at: MonotonicTime)
}

/// Why a request was not taken.
public enum RejectionReason: String, CaseIterable, Sendable {
    /// The prompt alone fills the context.
    case promptTooLong
    /// The waiting queue is at its limit (vLLM: `--max-num-queued-reqs`).
    case queueFull
}

/// Which output tokens are worth an output of their own.
public enum TokenReporting: Sendable {
    /// Every token of every step: a server has to send them.
    case everyToken
    /// The first of each request only: a simulation needs no more, and whole runs of equal
    /// decode steps then cost one event.
    case firstToken
}
