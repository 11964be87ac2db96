import InferenceTypes

/// Requests with a time by which they want their verdicts: a binary heap, soonest first. Entries
/// of requests that were answered before are dropped when their time comes.
struct VerdictDeadlines {
    private var entries: [(time: MonotonicTime, request: RequestID)] = []

    var next: MonotonicTime? { entries.first?.time }

    mutating func add(_ request: RequestID, at time: MonotonicTime) {
        entries.append((time, request))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].time < entries[parent].time else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    var count: Int { entries.count }

    /// Forgets requests that are over: those with hours to go would pile up else.
    mutating func keep(_ isOpen: (RequestID) -> Bool) {
        let open = entries.filter { isOpen($0.request) }.sorted { $0.time < $1.time }
        // What is sorted is a heap.
        entries = open
    }

    /// The next request whose time has come.
    mutating func popDue(at now: MonotonicTime) -> RequestID? {
        guard let first = entries.first, first.time <= now, let last = entries.popLast() else {
            return nil
        }
        guard !entries.isEmpty else { return first.request }
        entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].time < entries[least].time {
                least = child
            }
            if least == parent { return first.request }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
