import InferenceTypes

/// Decides when a reactor lets streamed events gather for a moment before it looks for more, so
/// that one write carries several of them. On a quiet processor each event would otherwise wake
/// the loop and leave in a write of its own, and 80 % of an event's cost is the kernel's.
///
/// Only where it saves and cannot be felt: the last turn sent nothing but middle parts of streams,
/// there are many a second, and they do not come in batches anyway. A first token, a last one, a
/// unary answer or a new request in the last turn forbids it.
struct StreamCoalescing {
    /// The longest pause; zero turns it off.
    let pause: TimeSpan

    /// Events within one window above which it is worth it: 6,400 a second.
    static let busyEvents = 64
    static let window = TimeSpan.milliseconds(10)
    /// Events per write at which the load gathers by itself.
    static let enoughPerWrite = 4

    /// Middle parts of streams sent in this turn, and everything else that was to be written.
    private var events = 0
    private var urgent = 0
    private var windowEnd = MonotonicTime.zero
    private var eventsInWindow = 0
    private var isBusy = false

    init(pause: TimeSpan) { self.pause = pause }

    mutating func noteEvent() { events &+= 1 }
    mutating func noteUrgent() { urgent &+= 1 }

    /// Ends a turn in which `writes` connections were flushed; how long to pause before the next.
    mutating func turnEnded(at now: MonotonicTime, writes: Int) -> TimeSpan {
        defer {
            events = 0
            urgent = 0
        }
        guard pause > .zero else { return .zero }
        eventsInWindow &+= events
        if now >= windowEnd {
            isBusy = eventsInWindow >= Self.busyEvents && now < windowEnd + Self.window
            eventsInWindow = 0
            windowEnd = now + Self.window
        }
        guard isBusy, urgent == 0, events > 0, events < Self.enoughPerWrite * writes else {
            return .zero
        }
        return pause
    }
}
