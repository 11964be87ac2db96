/// The prefix cache: what of a prompt need not be computed again. Requests that say nothing of how
/// their prompts begin leave it alone.
///
/// It lives in the KV blocks that no running sequence holds; a block that is cached and in use
/// counts for both, so that less is kept than a server keeps that shares blocks. A prompt is there
/// for others as soon as its own prefill begins.
extension EmulatedEngine {
    /// Blocks that may be cached at the moment.
    private var cacheRoom: Int {
        if let tokens = options.prefixCacheTokens {
            return max(tokens, 0) / EngineRequest.prefixBlockTokens
        }
        if pool.blockTokens == 0 {
            return maxSequences * (Self.slotTokens / EngineRequest.prefixBlockTokens)
        }
        return pool.free * pool.blockTokens / EngineRequest.prefixBlockTokens
    }

    /// Where there is no pool: tokens kept for each slot.
    private static let slotTokens = 4_096
    /// vllm-rbln finds whole sub-blocks of its large blocks only.
    private static let subBlockTokens = 512

    /// Looks a prompt up that is about to be computed.
    mutating func lookUp(_ sequence: inout Sequence) {
        guard !sequence.request.prefix.isEmpty, sequence.prefillLeft > 0 else { return }
        var tokens = prefixCache.match(sequence.request.prefix) * EngineRequest.prefixBlockTokens
        tokens = min(tokens, sequence.request.inputTokens - 1)
        let whole = kind == .vllmRBLN ? Self.subBlockTokens : EngineRequest.prefixBlockTokens
        tokens -= tokens % whole
        sequence.request.cachedTokens = max(tokens, sequence.request.cachedTokens)
        sequence.prefillLeft = max(
            1, sequence.request.inputTokens - sequence.request.cachedTokens)
        keep(sequence)
    }

    /// What the sequence has computed is there for others.
    mutating func keep(_ sequence: Sequence) {
        let blocks = sequence.request.prefix
        guard !blocks.isEmpty else { return }
        let tokens = sequence.request.inputTokens + sequence.generated
        let count = min(blocks.count, tokens / EngineRequest.prefixBlockTokens)
        prefixCache.use(blocks[..<count], most: cacheRoom)
    }
}
