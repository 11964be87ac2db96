import EnergyModel
import InferenceTypes
import Scheduling
import Synchronization

/// The one scheduler of the process behind its one lock. Reactors hand in the events of a loop
/// turn together and perform the actions after the lock is free.
final class SharedScheduler: Sendable {
    /// Every event goes through here, so that the journal has them all in their order.
    private struct Guarded: ~Copyable {
        var scheduler: Scheduler
        /// `nil` without a journal, or once it has ended.
        var recorder: JournalRecorder?
        var events = 0

        @inline(__always)
        mutating func handle(
            _ event: Scheduler.Event, at now: MonotonicTime,
            into actions: inout [Scheduler.Action], _ journal: JournalFile?
        ) {
            let first = actions.count
            scheduler.handle(event, at: now, into: &actions)
            guard let journal else { return }
            events &+= 1
            recorder?.record(event, at: now, actions, from: first)
            if recorder?.isFull == true { journal.turnOver(&recorder) }
        }
    }

    private let guarded: Mutex<Guarded>
    private let journal: JournalFile?

    /// `start`: the time from which the scheduler was made to count.
    init(
        _ scheduler: consuming sending Scheduler, from start: MonotonicTime,
        journal: JournalFile? = nil
    ) {
        self.journal = journal
        guarded = Mutex(
            Guarded(
                scheduler: scheduler,
                recorder: journal.map { _ in JournalRecorder(at: start) }))
    }

    /// Takes all events out of the queue.
    func handle(
        _ events: inout EventQueue, at now: MonotonicTime,
        into actions: inout [Scheduler.Action]
    ) {
        var produced: [Scheduler.Action] = []
        swap(&produced, &actions)
        guarded.withLock { guarded in
            events.drain { guarded.handle($0, at: now, into: &produced, journal) }
        }
        swap(&produced, &actions)
    }

    func handle(
        _ event: Scheduler.Event, at now: MonotonicTime, into actions: inout [Scheduler.Action]
    ) {
        var produced: [Scheduler.Action] = []
        swap(&produced, &actions)
        guarded.withLock { $0.handle(event, at: now, into: &produced, journal) }
        swap(&produced, &actions)
    }

    /// Lets time pass: expires what has waited too long.
    func expire(at now: MonotonicTime, into actions: inout [Scheduler.Action]) {
        var produced: [Scheduler.Action] = []
        guarded.withLock { guarded in
            guard let deadline = guarded.scheduler.nextDeadline(), deadline <= now else { return }
            guarded.handle(.deadline, at: now, into: &produced, journal)
        }
        actions += produced
    }

    /// The books of energy.
    func energy() -> EnergyStatement { guarded.withLock { $0.scheduler.energy } }

    func planningInput(at now: MonotonicTime) -> PlanningInput {
        guarded.withLock { $0.scheduler.planningInput(at: now) }
    }

    func snapshot(at now: MonotonicTime) -> Scheduler.Snapshot {
        guarded.withLock { $0.scheduler.snapshot(at: now) }
    }

    // MARK: Journal

    func startJournal() {
        journal?.start { [weak self] in self?.turnOver() }
    }

    /// After the last event.
    func stopJournal() {
        turnOver()
        journal?.stop()
    }

    private func turnOver() {
        guarded.withLock { guarded in
            if guarded.recorder?.isEmpty == false { journal?.turnOver(&guarded.recorder) }
        }
    }

    /// Events that the file has, those that it will never have, and its bytes; `nil` without a
    /// journal.
    func journalFigures() -> (written: Int, lost: Int, bytes: Int)? {
        guard let journal else { return nil }
        let events = guarded.withLock { $0.events }
        let figures = journal.figures
        return (
            figures.events, figures.isOpen ? 0 : max(events - figures.events, 0), figures.bytes
        )
    }
}
