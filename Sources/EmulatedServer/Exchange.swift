import EmulatedEngine
import InferenceTypes

/// A request that waits for the engine.
final class Exchange {
    /// What the answer looks like.
    enum Surface {
        case chat, completion, embedding, classify, rerank, score

        var generates: Bool { self == .chat || self == .completion }
    }

    /// One engine request: a choice, or one of several inputs.
    struct Part {
        var key: EmulatedText.Key
        /// Where in the text its first token stands.
        var position: TextPosition
        var inputTokens: Int
        /// Of these, those found in the prefix cache.
        var cachedTokens = 0
        var produced = 0
        /// Tokens that have come out but were not sent: `multi-token`.
        var held = 0
        var finishReason: FinishReason?
        var submittedAt: MonotonicTime
        var startedAt: MonotonicTime
        var firstTokenAt: MonotonicTime?
        var endedAt: MonotonicTime
        var energy = RequestEnergy()
    }

    let id: UInt64
    let surface: Surface
    let call: InferenceCall
    let responseID: String
    let created: Int
    let model: String
    let faults: [Fault]
    /// The request asked for its faults itself.
    let ownsFaults: Bool
    var parts: [Part] = []
    /// Engine ids of the parts are `firstEngineID ..< firstEngineID + parts.count`.
    var firstEngineID: UInt64 = 0
    var unfinished = 0
    var isHeadSent = false
    var isRoleSent = false
    /// Content events sent.
    var events = 0
    /// Nothing goes out any more (stalled).
    var isMuted = false
    /// The bytes of a chunk before its choice, and those before the text of one.
    var chunkHead: [UInt8] = []

    init(
        id: UInt64, surface: Surface, call: InferenceCall, responseID: String, created: Int,
        model: String, faults: [Fault], ownsFaults: Bool
    ) {
        self.id = id
        self.surface = surface
        self.call = call
        self.responseID = responseID
        self.created = created
        self.model = model
        self.faults = faults
        self.ownsFaults = ownsFaults
    }

    var inputTokens: Int {
        // Choices share one prompt.
        surface.generates && call.inputs.count == 1
            ? (parts.first?.inputTokens ?? 0) : parts.reduce(0) { $0 + $1.inputTokens }
    }

    var outputTokens: Int { parts.reduce(0) { $0 + $1.produced } }

    var tokensPerEvent: Int {
        for case .multiToken(let count) in faults { return count }
        return call.tokensPerEvent
    }

    var hidesUsage: Bool { faults.contains(.missingUsage) }

    /// The fault that strikes now, before another content event.
    var dueFault: Fault? {
        faults.first { fault in fault.events.map { events >= $0 } ?? false }
    }
}
