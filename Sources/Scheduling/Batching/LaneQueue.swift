import InferenceTypes

/// The messages of one lane in the order in which they came. Whoever leaves from its middle is
/// marked and gone with the next sweep, and a sweep comes when as many are gone as are left: n
/// messages cost some n steps, in whatever order they leave.
struct LaneQueue: Sendable {
    private struct Place: Sendable {
        var ticket: Int
        var item: Batch.Item
        var isGone = false
    }

    private struct Deadline: Sendable {
        var time: MonotonicTime
        /// From the message's arrival to its deadline.
        var span: TimeSpan
        var ticket: Int
    }

    /// In the order of their tickets. Before `head` and where `isGone` nobody waits any more.
    private var places: [Place] = []
    private var head = 0
    private var nextTicket = 0
    /// A binary heap, soonest first; of those that left, some are still in it.
    private var deadlines: [Deadline] = []
    /// Messages that wait.
    private(set) var count = 0
    /// Places that were looked at or moved so far: what this has cost.
    private(set) var steps = 0

    var isEmpty: Bool { count == 0 }

    var first: Batch.Item? { count > 0 ? places[head].item : nil }

    /// Puts a message behind the others. Its ticket is good for ``forget(_:)``.
    mutating func append(_ item: Batch.Item) -> Int {
        let ticket = nextTicket
        nextTicket += 1
        places.append(Place(ticket: ticket, item: item))
        count += 1
        steps += 1
        if item.deadline != .distantFuture {
            push(
                Deadline(
                    time: item.deadline, span: item.deadline - item.arrival, ticket: ticket))
        }
        return ticket
    }

    /// Takes a message out; false if it waits no longer.
    mutating func forget(_ ticket: Int) -> Bool {
        guard let place = place(of: ticket) else { return false }
        places[place].isGone = true
        count -= 1
        skipGone()
        sweep()
        return true
    }

    /// Takes out the oldest ones.
    mutating func take(_ most: Int) -> [Batch.Item] {
        var items: [Batch.Item] = []
        items.reserveCapacity(min(most, count))
        while items.count < most, count > 0 {
            items.append(places[head].item)
            head += 1
            count -= 1
            skipGone()
        }
        sweep()
        return items
    }

    /// The soonest deadline of those that a batch can keep which takes `service`.
    mutating func mostUrgent(service: TimeSpan) -> MonotonicTime {
        while let next = deadlines.first {
            // Who cannot be answered in time hurries nobody.
            if next.span > service, place(of: next.ticket) != nil { return next.time }
            pop()
        }
        return .distantFuture
    }

    // MARK: Places

    private func place(of ticket: Int) -> Int? {
        guard head < places.count, ticket >= places[head].ticket else { return nil }
        // Sweeps move places forwards only: here it stands, or before.
        var upper = min(places.count - 1, head + (ticket - places[head].ticket))
        if places[upper].ticket != ticket {
            var lower = head
            while lower < upper {
                let middle = (lower + upper) / 2
                if places[middle].ticket < ticket { lower = middle + 1 } else { upper = middle }
            }
        }
        return places[upper].ticket == ticket && !places[upper].isGone ? upper : nil
    }

    /// The head is somebody who waits.
    private mutating func skipGone() {
        while head < places.count, places[head].isGone {
            head += 1
            steps += 1
        }
    }

    private mutating func sweep() {
        if places.count > 2 * count + 32 {
            steps += places.count
            places.removeFirst(head)
            head = 0
            places.removeAll { $0.isGone }
        }
        if deadlines.count > 2 * count + 32 {
            steps += deadlines.count
            // What is sorted is a heap.
            deadlines = deadlines.filter { place(of: $0.ticket) != nil }
                .sorted { $0.time < $1.time }
        }
    }

    // MARK: Deadlines

    private mutating func push(_ deadline: Deadline) {
        deadlines.append(deadline)
        var child = deadlines.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard deadlines[child].time < deadlines[parent].time else { return }
            deadlines.swapAt(child, parent)
            steps += 1
            child = parent
        }
    }

    private mutating func pop() {
        guard let last = deadlines.popLast(), !deadlines.isEmpty else { return }
        deadlines[0] = last
        var parent = 0
        while true {
            steps += 1
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < deadlines.count && deadlines[child].time < deadlines[least].time {
                least = child
            }
            if least == parent { return }
            deadlines.swapAt(parent, least)
            parent = least
        }
    }
}
