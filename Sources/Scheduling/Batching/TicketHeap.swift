import InferenceTypes

/// Times of messages by their tickets, in a binary heap, soonest first. Nobody is taken from its
/// middle: the owner skips those that have left.
struct TicketHeap: Sendable {
    struct Entry: Sendable {
        var time: MonotonicTime
        /// From the message's arrival to `time`.
        var span: TimeSpan
        var ticket: Int
    }

    private var entries: [Entry] = []
    /// Entries that were looked at or moved so far: what this has cost.
    private(set) var steps = 0

    var count: Int { entries.count }
    var first: Entry? { entries.first }

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].time < entries[parent].time else { return }
            entries.swapAt(child, parent)
            steps += 1
            child = parent
        }
    }

    mutating func pop() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        entries[0] = last
        var parent = 0
        while true {
            steps += 1
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].time < entries[least].time {
                least = child
            }
            if least == parent { return }
            entries.swapAt(parent, least)
            parent = least
        }
    }

    /// A heap of those only whose ticket fits.
    func keeping(_ fits: (Int) -> Bool) -> TicketHeap {
        var heap = TicketHeap()
        heap.steps = steps + entries.count
        // What is sorted is a heap.
        heap.entries = entries.filter { fits($0.ticket) }.sorted { $0.time < $1.time }
        return heap
    }
}
