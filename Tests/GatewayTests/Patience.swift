import Glibc
import InferenceTypes
import Synchronization
import Transport

/// Waiting with a bound.
enum Patience {
    /// Asks again and again, a millisecond apart. True as soon as the condition holds.
    static func wait(for span: TimeSpan, until condition: () -> Bool) -> Bool {
        let end = MonotonicClock.now() + span
        while true {
            if condition() { return true }
            guard MonotonicClock.now() < end else { return false }
            usleep(1_000)
        }
    }

    static func pause(_ span: TimeSpan) { usleep(UInt32(span.nanoseconds / 1_000)) }

    static func measure(_ work: () throws -> Void) rethrows -> TimeSpan {
        let start = MonotonicClock.now()
        try work()
        return MonotonicClock.now() - start
    }
}

/// Blocking work on threads of its own.
enum Concurrently {
    static func map<T: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) -> T
    ) -> [T] {
        let tasks = (0..<count).map { index in Background { body(index) } }
        return tasks.compactMap { $0.value() }
    }
}

/// One piece of blocking work on a thread; `value` waits for it.
final class Background<T: Sendable>: Sendable {
    private let result = Mutex<T?>(nil)
    private let thread = Mutex<pthread_t?>(nil)

    init(_ body: @escaping @Sendable () -> T) {
        let started = Thread.start(name: "test") {
            let value = body()
            self.result.withLock { $0 = value }
        }
        thread.withLock { $0 = started }
    }

    var isDone: Bool { result.withLock { $0 != nil } }

    func value() -> T? {
        let waiting = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let waiting { pthread_join(waiting, nil) }
        return result.withLock { $0 }
    }
}
