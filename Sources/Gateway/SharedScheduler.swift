import EnergyModel
import InferenceTypes
import Scheduling
import Synchronization

/// The one scheduler of the process behind its one lock. Reactors hand in the events of a loop
/// turn together and perform the actions after the lock is free.
final class SharedScheduler: Sendable {
    private let scheduler: Mutex<Scheduler>

    init(_ scheduler: consuming sending Scheduler) {
        self.scheduler = Mutex(scheduler)
    }

    func handle(
        _ events: [Scheduler.Event], at now: MonotonicTime,
        into actions: inout [Scheduler.Action]
    ) {
        var produced: [Scheduler.Action] = []
        swap(&produced, &actions)
        scheduler.withLock { scheduler in
            for event in events { scheduler.handle(event, at: now, into: &produced) }
        }
        swap(&produced, &actions)
    }

    /// Lets time pass: expires what has waited too long.
    func expire(at now: MonotonicTime, into actions: inout [Scheduler.Action]) {
        var produced: [Scheduler.Action] = []
        scheduler.withLock { scheduler in
            guard let deadline = scheduler.nextDeadline(), deadline <= now else { return }
            scheduler.handle(.deadline, at: now, into: &produced)
        }
        actions += produced
    }

    /// The books of energy.
    func energy() -> EnergyStatement { scheduler.withLock { $0.energy } }

    func planningInput(at now: MonotonicTime) -> PlanningInput {
        scheduler.withLock { $0.planningInput(at: now) }
    }

    func snapshot(at now: MonotonicTime) -> Scheduler.Snapshot {
        scheduler.withLock { $0.snapshot(at: now) }
    }
}
