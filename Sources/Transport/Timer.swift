import InferenceTypes

/// A deadline on a reactor that can be moved cheaply: arming it later than before costs a store,
/// because the heap's old entry is only looked at when it comes up.
public final class Timer {
    /// When it fires; `nil` while disarmed.
    public private(set) var deadline: MonotonicTime?
    fileprivate var queued: MonotonicTime?
    private unowned(unsafe) let reactor: Reactor
    fileprivate let action: () -> Void

    public init(on reactor: Reactor, action: @escaping () -> Void) {
        self.reactor = reactor
        self.action = action
    }

    public func arm(at time: MonotonicTime) {
        deadline = time
        if let queued, queued <= time { return }
        queued = time
        reactor.timers.push(self, at: time)
    }

    public func arm(after span: TimeSpan) { arm(at: reactor.now + span) }

    public func disarm() { deadline = nil }
}

/// The reactor's deadlines: a binary heap ordered by (time, sequence number).
struct TimerHeap {
    private struct Entry {
        var time: MonotonicTime
        var sequence: UInt64
        var timer: Timer
    }

    private var entries: [Entry] = []
    private var sequence: UInt64 = 0

    var next: MonotonicTime? { entries.first?.time }

    mutating func push(_ timer: Timer, at time: MonotonicTime) {
        sequence &+= 1
        entries.append(Entry(time: time, sequence: sequence, timer: timer))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(child, parent) else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    /// The next timer whose time has come, or `nil`. Entries of timers that were moved later are
    /// pushed again; those of disarmed timers are dropped.
    mutating func popDue(at now: MonotonicTime) -> (() -> Void)? {
        while let first = entries.first, first.time <= now {
            let timer = first.timer
            removeFirst()
            guard timer.queued == first.time else { continue }
            timer.queued = nil
            guard let deadline = timer.deadline else { continue }
            if deadline > now {
                timer.queued = deadline
                push(timer, at: deadline)
                continue
            }
            timer.disarm()
            return timer.action
        }
        return nil
    }

    private mutating func removeFirst() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && precedes(child, least) { least = child }
            if least == parent { return }
            entries.swapAt(parent, least)
            parent = least
        }
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        let (x, y) = (entries[a], entries[b])
        return x.time != y.time ? x.time < y.time : x.sequence < y.sequence
    }
}
