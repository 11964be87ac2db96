/// The key-value cache as a number of equal blocks. A sequence holds as many as its context and
/// the next token need; nothing is shared.
struct KVPool: Sendable {
    /// Tokens per block; 0: no pool at all (llama-server's slots, encoders).
    let blockTokens: Int
    let total: Int
    private(set) var used = 0

    init(blockTokens: Int, total: Int) {
        self.blockTokens = max(0, blockTokens)
        self.total = self.blockTokens == 0 ? 0 : max(1, total)
    }

    var free: Int { total - used }

    /// 0 ... 1.
    var usage: Double { total == 0 ? 0 : Double(used) / Double(total) }

    /// Tokens that fit if one sequence had everything; `nil`: no limit from here.
    var capacity: Int? { blockTokens == 0 ? nil : total * blockTokens }

    func blocks(for tokens: Int) -> Int {
        blockTokens == 0 ? 0 : (tokens + blockTokens - 1) / blockTokens
    }

    func fits(_ blocks: Int) -> Bool { blockTokens == 0 || blocks <= free }

    mutating func take(_ blocks: Int) { used += blocks }

    mutating func give(_ blocks: Int) { used -= blocks }
}
