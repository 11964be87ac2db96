import InferenceTypes

/// Whether an engine can work.
public enum EnginePower: Hashable, Sendable {
    /// Runs what it is given. Next: `asleep`.
    case awake
    /// The weights are off the accelerator: what is submitted waits. Next: `waking`.
    case asleep
    /// As `asleep`, and awake from `until` on.
    case waking(since: MonotonicTime, until: MonotonicTime)
}

/// Sleep and wake, as a server with a sleep mode does them: an engine asleep draws the profile's
/// sleep power, waking takes its wake time and, evenly spread over it, its wake energy. Falling
/// asleep takes no time and no energy of its own: no profile has a figure for it.
extension EmulatedEngine {
    /// Puts an engine without any work to sleep. False if it has work, warms up, or is not awake.
    public mutating func sleep(at now: MonotonicTime) -> Bool {
        let now = catchUp(to: now)
        guard powerState == .awake, step == nil, runningSequences.isEmpty, waitingQueue.isEmpty,
            now >= readyAt
        else { return false }
        settle(to: now)
        powerState = .asleep
        prefixCache.removeAll()
        return true
    }

    /// Begins to wake an engine that is asleep; ``EngineOutput/awake(at:)`` follows. False if it
    /// is not asleep.
    public mutating func wake(at now: MonotonicTime) -> Bool {
        let now = catchUp(to: now)
        guard powerState == .asleep else { return false }
        settle(to: now)
        let until = now + wakeTime
        powerState = .waking(since: now, until: until)
        if wakeTime == .zero { settledEnergy.wake += Joules(wakeJoules) }
        if !waitingQueue.isEmpty { nextStart = until }
        return true
    }

    /// When a request that comes now could begin, nothing else being there; `nil`: not before
    /// somebody wakes the engine.
    func earliestStart(at now: MonotonicTime) -> MonotonicTime? {
        switch powerState {
        case .awake: max(now, readyAt)
        case .asleep: nil
        case .waking(_, let until): max(now, until)
        }
    }

    mutating func finishWaking(at now: MonotonicTime, into output: inout [EngineOutput]) {
        guard case .waking(_, let until) = powerState, until <= now else { return }
        settle(to: until)
        powerState = .awake
        output.append(.awake(at: until))
    }

    /// Power while no step is in flight.
    func restWatts(at now: MonotonicTime) -> Double {
        switch powerState {
        case .awake: idleWatts
        case .asleep: sleepWatts
        case .waking(_, let until): now < until ? wakeWatts : idleWatts
        }
    }

    /// Energy while no step is in flight, by what the engine was.
    func restEnergy(from start: MonotonicTime, to end: MonotonicTime) -> EnergyByState {
        var energy = EnergyByState()
        let span = max(.zero, end - start).seconds
        switch powerState {
        case .awake: energy.idle = Joules(span * idleWatts)
        case .asleep: energy.sleep = Joules(span * sleepWatts)
        case .waking(_, let until):
            let waking = max(.zero, min(end, until) - start).seconds
            energy.wake = Joules(waking * wakeWatts)
            energy.idle = Joules((span - waking) * idleWatts)
        }
        return energy
    }

    private var wakeWatts: Double {
        wakeTime > .zero ? wakeJoules / wakeTime.seconds : idleWatts
    }
}
