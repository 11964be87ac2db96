import InferenceTypes

/// The batcher's name of one message: its exchange's slot and generation, and its place in the
/// request.
struct MessageToken {
    static let mostMessages = 1 << 16

    var rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    init(_ exchange: Exchange, index: Int) {
        rawValue =
            UInt64(exchange.slot & 0xFF_FFFF) << 40
            | UInt64(exchange.generation & 0xFF_FFFF) << 16 | UInt64(index & 0xFFFF)
    }

    var slot: Int { Int(rawValue >> 40) }
    var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 16) & 0xFF_FFFF }
    var index: Int { Int(rawValue & 0xFFFF) }
}

extension RequestTable {
    /// The exchange that waits for a message's verdict; `nil` if it has gone.
    func find(_ token: MessageToken) -> Exchange? {
        guard token.slot < exchanges.count else { return nil }
        let exchange = exchanges[token.slot]
        return exchange.isActive && exchange.generation & 0xFF_FFFF == token.generation
            && exchange.phase == .classifying ? exchange : nil
    }
}
