import InferenceTypes

/// A request inside the engine, waiting or running.
struct Sequence: Sendable {
    /// What the current step does for this sequence.
    enum Role: Equatable, Sendable {
        /// Running but left out: the step had no tokens to spare.
        case none
        /// Works on this many input tokens.
        case prefill(Int)
        /// Gains one token, or is in the forward pass of an encoder.
        case decode
    }

    var request: EngineRequest
    let submittedAt: MonotonicTime
    /// Output tokens after the cut at the end of the context.
    let outputTokens: Int
    let finishReason: FinishReason
    var role = Role.none
    /// Input tokens still to be computed. After pre-emption: prompt and output so far, again.
    var prefillLeft: Int
    var generated = 0
    /// KV blocks held.
    var blocks = 0
    var hasStarted = false
    /// Has said its last word and leaves with the end of the step.
    var isFinished = false
    /// When the newest token came out.
    var lastTokenAt: MonotonicTime?
    var energy = RequestEnergy()

    init(
        _ request: EngineRequest, submittedAt: MonotonicTime, contextLimit: Int, prefills: Bool
    ) {
        self.request = request
        self.submittedAt = submittedAt
        let room = max(0, contextLimit - request.inputTokens)
        outputTokens = request.task == .generate ? min(request.outputTokens, room) : 0
        finishReason = outputTokens < request.outputTokens ? .length : request.finishReason
        prefillLeft = prefills ? max(1, request.inputTokens - request.cachedTokens) : 0
    }

    var id: UInt64 { request.id }

    /// True for one pass over the input without output tokens.
    var isEncoding: Bool { request.task != .generate }

    /// True once only decode steps are left.
    var isDecoding: Bool { prefillLeft == 0 }

    var remaining: Int { outputTokens - generated }

    /// Tokens the KV cache must have room for once `steps` more tokens are out: the context and
    /// the token after it, if there will be one.
    func contextTokens(after steps: Int) -> Int {
        request.inputTokens + min(generated + steps + 1, outputTokens)
    }

    /// Back to the queue with nothing in the cache.
    mutating func preempt(prefills: Bool) {
        role = .none
        prefillLeft = prefills ? request.inputTokens + generated : 0
        blocks = 0
    }
}
