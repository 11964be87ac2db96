import InferenceTypes

/// Where a request lives: its reactor, its exchange's place there, and how often that place was
/// used before, so that a late action never reaches the next request in the same place.
extension RequestID {
    /// One byte of the identifier names the reactor.
    static let mostReactors = 256

    /// How many reactors there are to be; none asked for: one per core.
    static func reactors(asked: Int, online: Int) -> Int {
        min(asked > 0 ? asked : online, mostReactors)
    }

    init(reactor: Int, slot: Int, generation: UInt32) {
        self.init(
            UInt64(reactor & 0xFF) << 56 | UInt64(generation) << 24 | UInt64(slot & 0xFF_FFFF))
    }

    var reactor: Int { Int(rawValue >> 56) }
    var slot: Int { Int(rawValue & 0xFF_FFFF) }
    var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 24) }
}

/// A reactor's exchanges: a table of reusable objects.
struct RequestTable {
    private(set) var exchanges: [Exchange] = []
    private var free: [Int] = []
    private(set) var active = 0

    mutating func claim(_ shell: ReactorShell) -> Exchange {
        active += 1
        if let slot = free.popLast() {
            exchanges[slot].isActive = true
            return exchanges[slot]
        }
        let exchange = Exchange(shell: shell, slot: exchanges.count)
        exchange.isActive = true
        exchanges.append(exchange)
        return exchange
    }

    mutating func release(_ exchange: Exchange) {
        guard exchange.isActive else { return }
        exchange.isActive = false
        exchange.generation &+= 1
        free.append(exchange.slot)
        active -= 1
    }

    func find(_ id: RequestID) -> Exchange? {
        guard id.slot < exchanges.count else { return nil }
        let exchange = exchanges[id.slot]
        return exchange.isActive && exchange.generation == id.generation ? exchange : nil
    }
}
