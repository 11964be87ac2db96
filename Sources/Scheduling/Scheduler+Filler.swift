import EnergyModel
import InferenceTypes

/// Bulk as filler; see ``FillerRule``.
extension Scheduler {
    /// True for a bulk request whose model others want, too.
    @inline(__always)
    func isFiller(_ slot: Int, at now: MonotonicTime) -> Bool {
        guard requests.records[slot].request.serviceClass == .bulk, configuration.filler.isOn else {
            return false
        }
        let model = requests.records[slot].request.model.index
        guard promisedAt.indices.contains(model) else { return false }
        return promisedAt[model] > now - configuration.filler.memory
    }

    mutating func notePromise(_ slot: Int, at now: MonotonicTime) {
        let model = requests.records[slot].request.model.index
        guard requests.records[slot].request.serviceClass != .bulk,
            promisedAt.indices.contains(model)
        else { return }
        promisedAt[model] = now
    }

    /// True if a bulk request has been passed over so often and for so long that it has a turn.
    @inline(__always)
    func isForced(_ slot: Int, at now: MonotonicTime) -> Bool {
        precedence.overdue == ServiceClass.bulk.rank
            && now - requests.records[slot].arrival >= configuration.filler.forceAge
    }

    /// True if the endpoint can take the bulk request and keep what it promises, with room for a
    /// burst left.
    func takesFiller(_ index: Int, _ slot: Int, at now: MonotonicTime) -> Bool {
        let rule = configuration.filler
        var load = endpoints[index].load(at: now)
        let isExclusive = endpoints[index].prefillRule == .exclusive
        // Steps in which others decode make prompts take longer than predicted, and what is
        // behind would grow unseen.
        let ahead = max(load.queuedPrefill, endpoints[index].prefill.visible)
        guard ahead <= (isExclusive ? .zero : rule.mostQueuedPrefill) else { return false }
        if endpoints[index].running.count == 0 { return true }
        let reserve = max(Int(Double(endpoints[index].limit) * rule.slotReserve), 1)
        let sequences = requests.records[slot].sequences
        guard endpoints[index].hasRoom(for: sequences + reserve, at: now) else { return false }
        guard endpoints[index].running.tightestObjective != nil else { return true }
        let size = requests.records[slot].size
        let rank = ServiceClass.interactive.rank
        let usual = configuration.objectives.indices.contains(rank)
            ? configuration.objectives[rank].timeToFirstToken : nil
        let first = usual ?? .seconds(1)
        let prefill = ahead + models[index].prefillTime(of: size)
        guard prefill.seconds <= first.seconds * rule.prefillShare else { return false }
        // As if the burst were there already.
        load.batch += reserve
        return router.lateness(
            of: models[index].estimate(size, on: load), Router.Demand(
                size: size, model: requests.records[slot].request.model,
                objective: LatencyObjective(), strictness: 1),
            toThoseRunning: endpoints[index].running.tightestObjective) == 0
    }

    /// Of `router.eligible`, those that run something; idle ones only if none does and the request
    /// has waited for long enough, and not if it would be the last ones that are clear of bulk.
    mutating func preferBusy(_ slot: Int, at now: MonotonicTime) {
        let rule = configuration.filler
        if router.eligible.contains(where: { endpoints[$0].running.count > 0 })
            || keepsClear(slot, at: now)
        {
            router.eligible.removeAll { endpoints[$0].running.count == 0 }
        } else if now - requests.records[slot].arrival < rule.openAge {
            router.eligible.removeAll(keepingCapacity: true)
        }
    }

    /// True if one more endpoint that runs bulk alone would be one too many.
    private func keepsClear(_ slot: Int, at now: MonotonicTime) -> Bool {
        let rule = configuration.filler
        let all = filter.endpoints(of: requests.records[slot].request.model)
        var usable = 0
        var clear = 0
        for index in all where endpoints[index].isUsable(at: now) {
            usable += 1
            if !isBusyWithBulk(index, at: now) { clear += 1 }
        }
        guard usable > 1 else { return false }
        return clear <= max(Int(Double(usable) * rule.clearShare), 1)
    }

    /// True if nobody there was promised anything: its prompts may be long.
    private func isBusyWithBulk(_ index: Int, at now: MonotonicTime) -> Bool {
        endpoints[index].running.count > 0 && endpoints[index].running.tightestObjective == nil
    }

    mutating func startFilling(at now: MonotonicTime) {
        guard fillerWake == nil else { return }
        let wake = now + configuration.filler.interval
        fillerWake = wake
        deadlines.add(.filler, at: wake)
    }

    /// Those who wait look again, as long as some find a place.
    mutating func fill(at now: MonotonicTime, into actions: inout [Action]) {
        fillerWake = nil
        let rank = ServiceClass.bulk.rank
        for model in 0..<configuration.modelCount where queue.depths[rank] > 0 {
            scratchSlots.removeAll(keepingCapacity: true)
            _ = queue.appendFirst(rank: rank, model: model, to: &scratchSlots)
            var misses = 0
            for position in scratchSlots.indices {
                let slot = scratchSlots[position]
                if survey(slot, at: now) == .now, serve(slot, at: now, into: &actions) {
                    misses = 0
                } else {
                    misses += 1
                    if misses == configuration.filler.mostMisses { break }
                }
            }
        }
        if queue.depths[rank] > 0 { startFilling(at: now) }
    }
}
