import Scheduling

/// What a reactor has to tell the scheduler, in its order. An event is moved in and moved out: to
/// walk an array would copy each one, which is long, and destroy it twice.
struct EventQueue: ~Copyable {
    private var base = UnsafeMutablePointer<Scheduler.Event>.allocate(capacity: 32)
    private var capacity = 32
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    /// Inlined, so that an event is put together where it is to lie.
    @inline(__always)
    mutating func append(_ event: consuming Scheduler.Event) {
        if count == capacity { grow() }
        (base + count).initialize(to: event)
        count += 1
    }

    @inline(never)
    private mutating func grow() {
        let grown = UnsafeMutablePointer<Scheduler.Event>.allocate(capacity: 2 * capacity)
        grown.moveInitialize(from: base, count: count)
        base.deallocate()
        base = grown
        capacity *= 2
    }

    /// Hands out all events, first in, first out. `body` adds none.
    @inline(__always)
    mutating func drain(_ body: (Scheduler.Event) -> Void) {
        // Whatever happens, no event is there twice.
        let waiting = count
        count = 0
        for index in 0..<waiting { body((base + index).move()) }
    }
}
