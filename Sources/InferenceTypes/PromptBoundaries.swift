/// Where a prompt may be cut so that another one is likely to begin the same way: the end of its
/// first message (instructions that many conversations share), the ends of its last four (a turn
/// adds two, a tool's answer one more), and after every power of two from 1 KiB to 64 KiB.
public struct PromptBoundaries: Sendable {
    private static let leastPower = 1 << 10
    private static let greatestPower = 1 << 16

    private var first: UInt32 = 0
    /// The newest is the lowest.
    private var last = (UInt32(0), UInt32(0), UInt32(0), UInt32(0))

    public init() {}

    /// A message ends here. In the order of the prompt.
    public mutating func note(_ end: Int) {
        let end = UInt32(clamping: end)
        if first == 0 { first = end }
        last = (end, last.0, last.1, last.2)
    }

    /// The same in a text that begins `bytes` later.
    public func moved(by bytes: Int) -> PromptBoundaries {
        let offset = UInt32(clamping: bytes)
        func moved(_ end: UInt32) -> UInt32 { end > offset ? end - offset : 0 }
        var boundaries = PromptBoundaries()
        boundaries.first = moved(first)
        boundaries.last = (moved(last.0), moved(last.1), moved(last.2), moved(last.3))
        return boundaries
    }

    /// Calls `body` with every place up to `end`, ascending, none twice.
    public func forEach(upTo end: Int, _ body: (Int) -> Void) {
        var before = 0
        var power = Self.leastPower
        func pass(_ place: UInt32) {
            let place = Int(place)
            guard place <= end else { return }
            while power < place, power <= Self.greatestPower {
                if power > before { body(power) }
                power *= 2
            }
            if place > before { body(place) }
            before = max(before, place)
        }
        pass(first)
        pass(last.3)
        pass(last.2)
        pass(last.1)
        pass(last.0)
        while power <= end, power <= Self.greatestPower {
            if power > before { body(power) }
            power *= 2
        }
    }
}
