/// First come, first served; a pre-empted sequence goes back to the front.
struct WaitingQueue: Sendable {
    private var items: [Sequence] = []
    private var head = 0

    var count: Int { items.count - head }
    var isEmpty: Bool { head == items.count }
    var first: Sequence? { isEmpty ? nil : items[head] }

    mutating func append(_ sequence: Sequence) { items.append(sequence) }

    mutating func prepend(_ sequence: Sequence) {
        if head > 0 {
            head -= 1
            items[head] = sequence
        } else {
            items.insert(sequence, at: 0)
        }
    }

    mutating func popFirst() -> Sequence? {
        guard !isEmpty else { return nil }
        let first = items[head]
        head += 1
        if head > 64, head * 2 > items.count {
            items.removeSubrange(0..<head)
            head = 0
        }
        return first
    }

    mutating func remove(id: UInt64) -> Sequence? {
        guard let index = items[head...].firstIndex(where: { $0.id == id }) else { return nil }
        return items.remove(at: index)
    }

    /// How many of the first `limit` are encoders, up to the first one that is not.
    func leadingEncoders(limit: Int) -> Int {
        items[head...].prefix(max(0, limit)).prefix { $0.isEncoding }.count
    }
}
