import EmulatedEngine
import InferenceTypes

/// What prompts share, by their bytes.
extension EmulatedService {
    /// For every block of tokens a hash of all text up to its end. Answers are not among it: a turn
    /// finds what was asked before, not what was answered.
    static func blocks(of text: [UInt8]) -> [UInt64] {
        let size = EngineRequest.prefixBlockTokens * 4
        var blocks: [UInt64] = []
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for (index, byte) in text.enumerated() {
            hash = (hash ^ UInt64(byte)) &* 0x0100_0000_01B3
            if index % size == size - 1 { blocks.append(hash) }
        }
        return blocks
    }

    /// For the usage; `nil`: this server does not say. Choices share their prompt, and it counts
    /// once.
    func cachedTokens(_ exchange: Exchange) -> Int? {
        guard options.hasPrefixCache, options.saysCachedTokens else { return nil }
        let all = exchange.parts.reduce(0) { $0 + $1.cachedTokens }
        let prompts = exchange.parts.reduce(0) { $0 + $1.inputTokens }
        guard prompts > 0 else { return 0 }
        return min(all * exchange.inputTokens / prompts, exchange.inputTokens)
    }
}
