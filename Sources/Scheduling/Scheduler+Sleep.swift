import EnergyModel
import InferenceTypes

/// Sleep and wake: what the planner wants, and what requests cannot wait for.
extension Scheduler {
    /// What the ``Planner`` looks at, taken at one moment.
    public func planningInput(at now: MonotonicTime) -> PlanningInput {
        PlanningInput(
            endpoints: endpoints.map { endpoint in
                PlanningInput.Endpoint(
                    power: endpoint.power.state, since: endpoint.power.since,
                    isSound: endpoint.isSound,
                    sequences: endpoint.running.sequences
                        + endpoint.foreign.sequences(at: now),
                    queuedPrefill: endpoint.prefill.queued(at: now))
            },
            demands: demands, waiting: queue.count, models: configuration.learns ? models : nil)
    }

    /// Counts what was asked for.
    mutating func countDemand(_ slot: Int, at now: MonotonicTime) {
        let model = requests.records[slot].request.model.index
        guard demands.indices.contains(model) else { return }
        let sequences = requests.records[slot].sequences
        demands[model].sequences += sequences
        demands[model].inputTokens += requests.records[slot].inputTokens
        demands[model].outputTokens += requests.records[slot].outputTokens * sequences
        if let gap = requests.records[slot].objective.interTokenLatency {
            demands[model].note(promised: gap, at: now)
        }
    }

    /// A plan came in.
    mutating func planned(_ plan: Plan, at now: MonotonicTime, into actions: inout [Action]) {
        guard plan.awake.count == endpoints.count else { return }
        for index in endpoints.indices where endpoints[index].power.canSleep {
            endpoints[index].power.isWanted =
                plan.awake[index] || endpoints[index].power.isSummoned
            settlePower(index, at: now, into: &actions)
        }
    }

    /// The shell saw an endpoint fall asleep or wake, or that it would not.
    mutating func powerStateChanged(
        _ id: EndpointID, _ state: PowerState, at now: MonotonicTime,
        into actions: inout [Action]
    ) {
        guard endpoints.indices.contains(id.index) else { return }
        let before = endpoints[id.index].power.state
        endpoints[id.index].power.become(state, at: now)
        // It would not sleep: no more of that before the next plan.
        if before == .fallingAsleep, state == .awake { endpoints[id.index].power.isWanted = true }
        // Sleep frees the cache.
        if state == .asleep { affinity.table.forget(id.index) }
        countSleepers()
        report(id.index, at: now, into: &actions)
        if state == .awake, before != .awake {
            drainQueue(for: id.index, at: now, into: &actions)
        } else if before == .fallingAsleep, state == .asleep {
            settlePower(id.index, at: now, into: &actions)
        }
    }

    /// Takes an endpoint one step towards what is wanted of it.
    mutating func settlePower(
        _ index: Int, at now: MonotonicTime, into actions: inout [Action]
    ) {
        let power = endpoints[index].power
        switch (power.state, power.isWanted) {
        case (.awake, true), (.fallingAsleep, _), (.asleep, false), (.waking, _): return
        case (.awake, false), (.retiring, false):
            if endpoints[index].running.count == 0 {
                endpoints[index].power.become(.fallingAsleep, at: now)
                actions.append(.sleep(endpoints[index].id))
            } else {
                endpoints[index].power.become(.retiring, at: now)
            }
        case (.retiring, true):
            endpoints[index].power.become(.awake, at: now)
        case (.asleep, true):
            endpoints[index].power.become(.waking, at: now)
            actions.append(.wake(endpoints[index].id))
        }
        countSleepers()
        report(index, at: now, into: &actions)
        if endpoints[index].power.isAwake, power.state != .awake {
            drainQueue(for: index, at: now, into: &actions)
        }
    }

    /// The last request of an endpoint that is to sleep has left it.
    mutating func retireIfDone(
        _ index: Int, at now: MonotonicTime, into actions: inout [Action]
    ) {
        guard endpoints[index].power.state == .retiring, endpoints[index].running.count == 0
        else { return }
        settlePower(index, at: now, into: &actions)
    }

    private mutating func countSleepers() {
        sleepers = endpoints.reduce(0) { $0 + ($1.power.isAwake ? 0 : 1) }
    }

    /// None of those awake can keep the promise of the request in `slot`: takes back one that is
    /// on its way to sleep, or wakes one, unless one is waking already. Of several the one with
    /// the fewest joules for the request, those of its waking included. True if one more can take
    /// requests at once.
    mutating func summon(
        for slot: Int, _ size: RequestSize, at now: MonotonicTime, into actions: inout [Action]
    ) -> Bool {
        guard sleepers > 0, configuration.wakesOnDemand else { return false }
        var best: Int?
        var least = Double.infinity
        for index in filter.endpoints(of: requests.records[slot].request.model)
        where mayUse(index, slot) && endpoints[index].isSound {
            let power = endpoints[index].power
            let wake: Double
            switch power.state {
            case .awake: continue
            case .retiring: wake = 0
            case .waking: return false
            case .fallingAsleep, .asleep:
                wake = costs[index].wakeEnergy(hold: configuration.wakeHold).value
            }
            let estimate = models[index].estimate(size, on: endpoints[index].load(at: now))
            let joules = estimate.marginalEnergy.value + wake
            if joules < least {
                least = joules
                best = index
            }
        }
        guard let best else { return false }
        endpoints[best].power.isWanted = true
        endpoints[best].power.isSummoned = endpoints[best].power.state == .fallingAsleep
        settleSummoned(best, at: now, into: &actions)
        return endpoints[best].power.isAwake
    }

    /// Where all that could serve a request are asleep it may wait for one to wake, with half of
    /// that again for whoever waits before it, even if that is longer than a queue's usual wait.
    mutating func allowForWaking(_ slot: Int, at now: MonotonicTime) {
        guard requests.records[slot].attempts == 0 else { return }
        var longest: TimeSpan?
        for index in filter.endpoints(of: requests.records[slot].request.model)
        where mayUse(index, slot) && endpoints[index].isSound {
            switch endpoints[index].power.state {
            case .awake, .retiring: return
            case .waking: break
            case .fallingAsleep, .asleep:
                guard configuration.wakesOnDemand else { continue }
            }
            longest = max(longest ?? .zero, endpoints[index].power.wakeTime)
        }
        guard let longest else { return }
        let wait = TimeSpan(seconds: longest.seconds * 1.5)
        requests.records[slot].deadline = max(requests.records[slot].deadline, now + wait)
    }

    /// Others who wait may use what was taken back for one of them.
    mutating func drainRecalled(at now: MonotonicTime, into actions: inout [Action]) {
        while let index = recalled.popLast() { drainQueue(for: index, at: now, into: &actions) }
    }

    /// As ``settlePower(_:at:into:)``, but whoever summoned it has the first word.
    private mutating func settleSummoned(
        _ index: Int, at now: MonotonicTime, into actions: inout [Action]
    ) {
        switch endpoints[index].power.state {
        case .retiring:
            endpoints[index].power.become(.awake, at: now)
            recalled.append(index)
        case .asleep:
            endpoints[index].power.become(.waking, at: now)
            actions.append(.wake(endpoints[index].id))
        // Once it has fallen asleep it is woken at once.
        case .awake, .fallingAsleep, .waking: break
        }
        countSleepers()
        report(index, at: now, into: &actions)
    }
}
