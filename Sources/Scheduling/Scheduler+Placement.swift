import EnergyModel
import InferenceTypes

extension Scheduler {
    /// What can be hoped for a request.
    enum Prospect {
        /// An endpoint has room: `router.eligible` says which.
        case now
        /// One will, if others end or time passes, before the request's own time is up.
        case later
        /// None: not configured for it, failed it, taken out, or down for too long.
        case never
    }

    /// Runs the filters for the request in `slot`.
    mutating func survey(_ slot: Int, at now: MonotonicTime) -> Prospect {
        let fills = isFiller(slot, at: now) && !isForced(slot, at: now)
        if !fills, !power.isOn, !requests.records[slot].hasMore,
            let all = filter.all(
                for: requests.records[slot].request.task,
                of: requests.records[slot].request.model)
        {
            router.consider(
                all, endpoints, sequences: requests.records[slot].sequences, at: now)
            if !router.eligible.isEmpty { return .now }
        }
        return surveyClosely(slot, fills: fills, at: now)
    }

    /// The same with all that may forbid an endpoint to this very request.
    private mutating func surveyClosely(
        _ slot: Int, fills: Bool, at now: MonotonicTime
    ) -> Prospect {
        router.eligible.removeAll(keepingCapacity: true)
        var hope = false
        var isShortOfPower = false
        // Fields one by one, here and below: the record is hundreds of bytes.
        let sequences = requests.records[slot].sequences
        for index in filter.endpoints(of: requests.records[slot].request.model)
        where mayUse(index, slot) {
            if endpoints[index].isUsable(at: now) {
                hope = true
                if endpoints[index].hasRoom(for: sequences, at: now),
                    !fills || takesFiller(index, slot, at: now)
                {
                    if power.isOn, !powerAdmits(index, slot, at: now) {
                        isShortOfPower = true
                    } else {
                        router.eligible.append(index)
                    }
                }
            } else if !hope, let from = endpoints[index].usable(from: now) {
                hope = from <= requests.records[slot].deadline
            }
        }
        if fills { preferBusy(slot, at: now) }
        if isShortOfPower, router.eligible.isEmpty {
            power.refused()
            startPowerWatch(at: now)
            requests.records[slot].lacksPower = true
        }
        return router.eligible.isEmpty ? (hope ? .later : .never) : .now
    }

    /// The filters that do not depend on the moment.
    @inline(__always)
    func mayUse(_ index: Int, _ slot: Int) -> Bool {
        filter.permits(
            requests.records[slot].request.task, of: requests.records[slot].request.tenant,
            on: index) && !requests.hasTried(index, by: slot)
    }

    /// True if the pick breaks a promise, as far as can be predicted.
    private func isLate(
        _ pick: Router.Pick, _ slot: Int, _ size: RequestSize, at now: MonotonicTime
    ) -> Bool {
        let demand = Router.Demand(
            size: size, model: requests.records[slot].request.model,
            objective: requests.records[slot].objective, strictness: strictness(slot))
        return router.lateness(of: pick, demand, endpoints) > 0
    }

    @inline(__always)
    func demand(_ slot: Int, _ size: RequestSize) -> Router.Demand {
        Router.Demand(
            size: size, model: requests.records[slot].request.model,
            objective: requests.records[slot].objective,
            strictness: strictness(slot) * (1 - power.pressure), pressure: power.pressure,
            key: requests.records[slot].request.affinityKey)
    }

    /// Picks one of `router.eligible`.
    private mutating func pick(
        _ slot: Int, _ demand: Router.Demand, at now: MonotonicTime
    ) -> Router.Pick? {
        recall(slot, at: now)
        return router.pick(demand, among: endpoints, models, at: now)
    }

    /// Dispatches a request that is in no queue or at the head of one, and on no endpoint, to one
    /// of `router.eligible`. False if it had better wait a moment: nothing was done.
    mutating func dispatch(
        _ slot: Int, at now: MonotonicTime, into actions: inout [Action]
    ) -> Bool {
        let wanted = requests.records[slot].size
        let demand = demand(slot, wanted)
        var picked = pick(slot, demand, at: now)
        if sleepers > 0, let late = picked, isLate(late, slot, wanted, at: now),
            summon(for: slot, wanted, at: now, into: &actions), survey(slot, at: now) == .now
        {
            picked = pick(slot, demand, at: now)
        }
        // Who is waited for has been woken first.
        guard let pick = picked, !pick.isWorthWaiting || !mayWait(slot, at: now) else {
            return false
        }
        let other = shadow?.choose(
            demand, as: router, endpoints, models, at: now)
        let index = pick.endpoint
        let size = router.size(of: demand, on: index)
        if queue.count > 0 {
            let lane = requests.records[slot].lane
            queue.served(
                rank: lane.rank, tenant: lane.tenant,
                cost: models[index].energyAtFullBatch(of: size).value)
            dequeue(slot)
        }
        let prefill = models[index].prefillTime(of: size)
        let sequences = requests.records[slot].sequences
        let outputTokens = requests.records[slot].outputTokens
        let objective = requests.records[slot].objective
        let waited = now - requests.records[slot].arrival
        let share = RunningSet.Share(
            sequences: sequences, decodes: size.generates,
            remainingTokens: outputTokens * sequences,
            interTokenObjective: size.generates ? objective.interTokenLatency : nil)
        let position = members[index].insert(slot: slot, share)
        endpoints[index].running = members[index].totals
        endpoints[index].prefill.placed(
            prefill, isVisible: requests.records[slot].request.streams, at: now)
        requests.records[slot].lacksPower = false
        remember(slot, size, on: index, at: now)
        notePower(index, at: now)
        startPowerWatch(at: now)
        endpoints[index].predictedEnergy += pick.estimate.marginalEnergy
        endpoints[index].dispatched += 1
        requests.records[slot].phase = .running(endpoint: index, position: position)
        requests.records[slot].prefill = prefill
        requests.records[slot].attempts += 1
        requests.records[slot].firstTokenAt = nil
        if let promise = objective.timeToFirstToken {
            requests.records[slot].isAttainable =
                waited + pick.estimate.timeToFirstToken <= promise
        }
        requests.records[slot].progress = 0
        notePlaced(slot, size, prefill: prefill, on: index, at: now)
        requests.records[slot].isTrial = endpoints[index].breaker.placed()
        var placement = Placement(
            endpoint: endpoints[index].id, attempt: requests.records[slot].attempts,
            estimate: pick.estimate, reason: pick.reason, candidates: router.eligible.count,
            inputTokens: requests.records[slot].inputTokens, outputTokens: outputTokens,
            waited: waited, shadow: other)
        placement.cachedInputTokens = size.cachedInputTokens
        actions.append(.dispatch(requests.records[slot].request.id, placement))
        report(index, at: now, into: &actions)
        return true
    }

    /// Takes the request off its endpoint and returns which one that was; `nil` if it was on
    /// none.
    mutating func detach(
        _ slot: Int, isAnswered: Bool = false, usage: Usage = Usage(), at now: MonotonicTime
    ) -> Int? {
        guard case .running(let index, let position) = requests.records[slot].phase else {
            return nil
        }
        if !requests.records[slot].sawFirstToken {
            endpoints[index].prefill.settled(
                requests.records[slot].prefill,
                isVisible: requests.records[slot].request.streams, at: now)
        }
        if let moved = members[index].remove(at: position) {
            requests.records[moved].phase = .running(endpoint: index, position: position)
        }
        endpoints[index].running = members[index].totals
        notePower(index, at: now)
        noteLeft(slot, index, isAnswered: isAnswered, usage: usage, at: now)
        requests.records[slot].phase = .queued
        return index
    }
}
