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

    /// In the order of their tickets. Before `head` and where `isGone` nobody waits any more.
    private var places: [Place] = []
    private var head = 0
    private var nextTicket = 0
    /// Of those that left, some are still in it.
    private var deadlines = TicketHeap()
    /// Arrivals of those who came back: older than somebody before them. Of those that left, some
    /// are still in it.
    private var returned = TicketHeap()
    /// The latest arrival of all so far.
    private var latest = MonotonicTime.zero
    /// Messages that wait.
    private(set) var count = 0
    /// Places that were looked at or moved so far: what this has cost.
    var steps: Int { placeSteps + deadlines.steps + returned.steps }
    private var placeSteps = 0

    var isEmpty: Bool { count == 0 }

    /// When the one came that has waited longest; `nil`: nobody waits. Who came back, as those do
    /// who waited for another's verdict, stands behind others and may be older than they.
    mutating func oldestArrival() -> MonotonicTime? {
        guard count > 0 else { return nil }
        while let back = returned.first {
            if place(of: back.ticket) != nil { return min(back.time, places[head].item.arrival) }
            returned.pop()
        }
        return places[head].item.arrival
    }

    /// Puts a message behind the others. Its ticket is good for ``forget(_:)``.
    mutating func append(_ item: Batch.Item) -> Int {
        let ticket = nextTicket
        nextTicket += 1
        places.append(Place(ticket: ticket, item: item))
        count += 1
        placeSteps += 1
        if item.deadline != .distantFuture {
            deadlines.push(
                TicketHeap.Entry(
                    time: item.deadline, span: item.deadline - item.arrival, ticket: ticket))
        }
        if item.arrival < latest {
            returned.push(TicketHeap.Entry(time: item.arrival, span: .zero, ticket: ticket))
        } else {
            latest = item.arrival
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
            deadlines.pop()
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
            placeSteps += 1
        }
    }

    private mutating func sweep() {
        if places.count > 2 * count + 32 {
            placeSteps += places.count
            places.removeFirst(head)
            head = 0
            places.removeAll { $0.isGone }
        }
        if deadlines.count > 2 * count + 32 {
            deadlines = deadlines.keeping { place(of: $0) != nil }
        }
        if returned.count > 2 * count + 32 {
            returned = returned.keeping { place(of: $0) != nil }
        }
    }
}
