import EmulatedEngine
import InferenceTypes

/// A prompt as a row of parts that other prompts may have, too: what the scheduler is told of its
/// beginning, and what the engine finds in its cache.
public struct SharedPrompt: Hashable, Sendable {
    public internal(set) var prefix = PromptPrefix()
    public internal(set) var session: UInt64 = 0
    /// Of prompt and answer, as ``EngineRequest/prefix``.
    public internal(set) var blocks: [UInt64] = []
}

/// Writes the prompts of one conversation, turn by turn.
struct PromptWriter {
    /// As the simulator tells bytes of tokens.
    static let bytesPerToken = 4

    /// A part of the conversation: who has the same `identity` says the same.
    private struct Part {
        var start: Int
        var end: Int
        /// Of everything before it, and with it.
        var before: UInt64
        var after: UInt64
    }

    private var parts: [Part] = []
    private var blocks: [UInt64] = []

    var tokens: Int { parts.last?.end ?? 0 }

    mutating func append(identity: UInt64, tokens count: Int) {
        let before = parts.last?.after ?? 0x1F83_D9AB_FB41_BD6B
        let after = Self.mix(before, identity)
        let part = Part(start: tokens, end: tokens + count, before: before, after: after)
        parts.append(part)
        let size = EngineRequest.prefixBlockTokens
        while (blocks.count + 1) * size <= part.end {
            let end = (blocks.count + 1) * size
            blocks.append(hash(at: end, in: part))
        }
    }

    /// The prompt so far; `answer` tokens of `identity` follow it.
    func prompt(answeredBy identity: UInt64, tokens answer: Int, session: UInt64) -> SharedPrompt {
        var prompt = SharedPrompt()
        let bytes = tokens * Self.bytesPerToken
        prompt.prefix = PromptPrefix(bytes: bytes)
        prompt.session = session
        var boundaries = PromptBoundaries()
        for part in parts { boundaries.note(part.end * Self.bytesPerToken) }
        boundaries.forEach(upTo: bytes) { place in
            let token = place / Self.bytesPerToken
            guard let part = parts.first(where: { token <= $0.end }) else { return }
            prompt.prefix.append(.init(hash: hash(at: token, in: part), bytes: place))
        }
        var whole = self
        whole.append(identity: identity, tokens: answer)
        prompt.blocks = whole.blocks
        return prompt
    }

    private func hash(at token: Int, in part: Part) -> UInt64 {
        if token == part.end { return part.after }
        return Self.mix(part.after ^ 0x5851_F42D_4C95_7F2D, UInt64(token - part.start))
    }

    private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        (a ^ 0xA076_1D64_78BD_642F).folded(with: (b &+ 1) &* 0x9E37_79B9_7F4A_7C15 | 1)
    }
}
