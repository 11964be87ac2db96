import HeapModule
import InferenceTypes

/// What time alone will bring about: a request's end in the queue, an endpoint's return.
/// Entries are never taken out of the middle; whoever pops one checks whether it still holds.
struct DeadlineHeap: Sendable {
    enum Subject: Hashable, Sendable {
        case request(slot: Int, number: UInt64)
        case endpoint(Int)
        /// Those who wait by choice look again.
        case patience
        /// Bulk that waits looks again.
        case filler
        /// Predicted power is made anew.
        case power
    }

    struct Entry: Comparable, Sendable {
        var time: MonotonicTime
        /// Of two with the same time the one added first comes first.
        var order: UInt64
        var subject: Subject

        static func < (a: Entry, b: Entry) -> Bool {
            (a.time, a.order) < (b.time, b.order)
        }
    }

    private var heap = Heap<Entry>()
    private var order: UInt64 = 0

    var count: Int { heap.count }
    var first: Entry? { heap.min }

    mutating func add(_ subject: Subject, at time: MonotonicTime) {
        order += 1
        heap.insert(Entry(time: time, order: order, subject: subject))
    }

    mutating func removeFirst() { _ = heap.popMin() }

    /// Rebuilds the heap without the entries that hold no more.
    mutating func keep(where holds: (Entry) -> Bool) {
        heap = Heap(heap.unordered.filter(holds))
    }
}
