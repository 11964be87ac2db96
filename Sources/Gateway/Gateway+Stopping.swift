import Glibc
import InferenceTypes
import Synchronization
import Transport

extension Gateway {
    /// Stops taking requests, lets running ones finish up to the drain limit, ends the rest with a
    /// visible error and stops the threads. Blocks; call from the main thread.
    public func stop() {
        draining.store(true, ordering: .relaxed)
        let limit = configuration.limits.drainTimeout
        logger.notice("draining", metadata: ["limit_s": "\(limit.seconds)"])
        control.post { ($0.context as? ControlPlane)?.drain() }
        group.stopListening()
        for reactor in group.reactors { reactor.post { $0.server?.drain() } }
        let left = waitForWork(upTo: limit)
        if left > 0 {
            logger.warning("drain limit reached", metadata: ["unfinished": "\(left)"])
            for reactor in group.reactors {
                reactor.post { ($0.context as? ReactorShell)?.cutAll() }
            }
            _ = waitForWork(upTo: .milliseconds(200))
        }
        // The last GOAWAY names the last stream that was answered: what a client sent after it may
        // safely be sent again elsewhere.
        for reactor in group.reactors { reactor.post { $0.server?.sayGoodbye() } }
        Pause.milliseconds(50)
        stopThreads()
    }

    private func stopThreads() {
        for reactor in group.reactors {
            reactor.post { reactor in
                reactor.server?.closeAll()
                (reactor.context as? ReactorShell)?.closeUpstreams()
            }
            reactor.stop()
        }
        group.join()
        control.post { control in
            control.server?.closeAll()
            (control.context as? ControlPlane)?.closeUpstreams()
        }
        control.stop()
        let thread = controlThread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let thread { pthread_join(thread, nil) }
        scheduler.stopJournal()
    }

    /// Waits until nothing is under way, and returns what still is when the time is up.
    private func waitForWork(upTo span: TimeSpan) -> Int {
        let deadline = MonotonicClock.now() + span
        while true {
            let left = countWork(until: deadline)
            if left == 0 || MonotonicClock.now() >= deadline { return left }
            Pause.milliseconds(10)
        }
    }

    /// Requests under way and connections with unsent bytes, as the reactors count them in answer
    /// to this very question: a figure that they left behind may be older than the last request.
    private func countWork(until deadline: MonotonicTime) -> Int {
        let tally = WorkTally(reactors: group.reactors.count)
        for reactor in group.reactors {
            reactor.post { tally.add(($0.context as? ReactorShell)?.unfinishedWork ?? 0) }
        }
        while tally.missing > 0, MonotonicClock.now() < deadline { Pause.milliseconds(1) }
        // A reactor that does not answer has its hands full.
        return tally.sum + tally.missing
    }
}

/// A question to every reactor, and the sum of the answers.
private final class WorkTally: Sendable {
    private let open: Atomic<Int>
    private let total = Atomic<Int>(0)

    init(reactors: Int) { open = Atomic(reactors) }

    func add(_ count: Int) {
        total.add(count, ordering: .relaxed)
        open.subtract(1, ordering: .releasing)
    }

    var missing: Int { open.load(ordering: .acquiring) }
    var sum: Int { total.load(ordering: .relaxed) }
}
