import InferenceTypes

extension Scheduler {
    /// A closed batch or a request for many choices is taken for so many sequences at most.
    static let mostSequences = 1_024

    mutating func arrived(
        _ request: InferenceRequest, at now: MonotonicTime, into actions: inout [Action]
    ) {
        arrivals += 1
        let inputTokens = statistics.inputTokens(of: request)
        var objective = request.objective
        let rank = request.serviceClass.rank
        if configuration.objectives.indices.contains(rank) {
            let usual = configuration.objectives[rank]
            objective.timeToFirstToken = objective.timeToFirstToken ?? usual.timeToFirstToken
            objective.interTokenLatency =
                objective.interTokenLatency ?? usual.interTokenLatency
        }
        let slot = requests.insert(
            RequestRecord(
                phase: .queued, request: request, number: arrivals, arrival: now,
                deadline: now
                    + (request.serviceClass == .bulk
                        ? configuration.limits.bulkQueueTimeout
                        : configuration.limits.queueTimeout), objective: objective,
                inputTokens: inputTokens,
                outputTokens: statistics.outputTokens(of: request, inputTokens: inputTokens),
                sequences: min(max(request.choices, 1), Self.mostSequences)))
        if isShuttingDown {
            reject(slot, .shuttingDown, at: now, into: &actions)
            return
        }
        countDemand(slot, at: now)
        notePromise(slot, at: now)
        // Room that time alone made (slow start, a foreign load grown old) goes to those who
        // wait first.
        if queue.count > queue.depths[ServiceClass.bulk.rank], patienceWake == nil {
            for index in filter.endpoints(of: request.model) {
                drainQueue(for: index, at: now, into: &actions)
            }
        }
        place(slot, ifHopeless: .noEndpoints, at: now, into: &actions)
    }

    /// Dispatches, queues or rejects a request that is in no queue and on no endpoint.
    mutating func place(
        _ slot: Int, ifHopeless reason: RejectionReason, at now: MonotonicTime,
        into actions: inout [Action]
    ) {
        if sleepers > 0 { allowForWaking(slot, at: now) }
        var prospect = survey(slot, at: now)
        // Power or a filler's place is not to be had by waking somebody.
        if prospect != .now, sleepers > 0, !requests.records[slot].lacksPower,
            !isFiller(slot, at: now) || isForced(slot, at: now),
            summon(for: slot, requests.records[slot].size, at: now, into: &actions)
        {
            prospect = survey(slot, at: now)
        }
        switch prospect {
        case .now:
            if isPassing(slot, at: now) {
                enqueue(slot, at: now, into: &actions)
                return
            }
            let rank = requests.records[slot].request.serviceClass.rank
            let depths = queue.depths
            if dispatch(slot, at: now, into: &actions) {
                if queue.count > 0 { precedence.served(rank: rank, waiting: depths) }
                return
            }
            // A full queue is no place to wait by choice.
            if queue.hasRoom(for: requests.records[slot].request.serviceClass) {
                enqueue(slot, at: now, into: &actions)
                retryLater(at: now)
            } else {
                requests.records[slot].mayWait = false
                _ = dispatch(slot, at: now, into: &actions)
            }
        case .later:
            if isShuttingDown {
                reject(slot, .shuttingDown, at: now, into: &actions)
            } else if queue.hasRoom(for: requests.records[slot].request.serviceClass)
                || makesRoom(for: slot, at: now, into: &actions)
            {
                enqueue(slot, at: now, into: &actions)
            } else {
                reject(slot, .saturated, at: now, into: &actions)
            }
        case .never: reject(slot, reason, at: now, into: &actions)
        }
    }

    /// Sheds the newest of the least urgent class that waits, of the tenant whose queue is longest
    /// for its share: if that class is less urgent than this request's, or the same and the other
    /// tenant would still have the longer queue. So nobody fills the queue at others' expense, and
    /// a bulk request takes no place but another bulk request's.
    private mutating func makesRoom(
        for slot: Int, at now: MonotonicTime, into actions: inout [Action]
    ) -> Bool {
        let rank = requests.records[slot].request.serviceClass.rank
        for lower in queue.depths.indices.reversed() where queue.depths[lower] > 0 {
            let rival = lower == rank ? requests.records[slot].request.tenant : nil
            guard lower >= rank, let victim = queue.last(rank: lower, for: rival) else {
                return false
            }
            dequeue(victim.slot)
            reject(victim.slot, .saturated, at: now, into: &actions)
            return true
        }
        return false
    }

    /// True for bulk that would pass other bulk.
    private func isPassing(_ slot: Int, at now: MonotonicTime) -> Bool {
        queue.depths[ServiceClass.bulk.rank] > 0 && isFiller(slot, at: now)
            && queue.hasRoom(for: .bulk)
    }

    private mutating func enqueue(
        _ slot: Int, at now: MonotonicTime, into actions: inout [Action]
    ) {
        let record = requests.records[slot]
        requests.records[slot].phase = .queued
        queue.insert(
            AdmissionQueue.Ticket(number: record.number, slot: slot), in: record.lane)
        deadlines.add(.request(slot: slot, number: record.number), at: record.deadline)
        compactDeadlines()
        actions.append(.queue(record.id))
        if record.request.serviceClass == .bulk { startFilling(at: now) }
    }

    mutating func dequeue(_ slot: Int) {
        queue.remove(number: requests.records[slot].number, from: requests.records[slot].lane)
    }

    /// Gives room at an endpoint to those who wait, as far as it goes.
    mutating func drainQueue(
        for index: Int, at now: MonotonicTime, into actions: inout [Action]
    ) {
        var withBulk = true
        while queue.count > 0, endpoints[index].isUsable(at: now),
            endpoints[index].hasRoom(for: 1, at: now)
        {
            guard let slot = nextWaiting(for: index, withBulk: withBulk, at: now) else { return }
            let isBulk = requests.records[slot].request.serviceClass == .bulk
            // The policy chooses among all endpoints that have room, not only this one.
            guard survey(slot, at: now) == .now, serve(slot, at: now, into: &actions) else {
                // Bulk may be overdue and still be refused: then it holds up nobody.
                guard isBulk, withBulk else { return }
                withBulk = false
                continue
            }
        }
    }

    /// Dispatches one that waits, unless it had better wait on.
    mutating func serve(
        _ slot: Int, at now: MonotonicTime, into actions: inout [Action]
    ) -> Bool {
        let rank = requests.records[slot].request.serviceClass.rank
        let depths = queue.depths
        guard dispatch(slot, at: now, into: &actions) else {
            retryLater(at: now)
            return false
        }
        precedence.served(rank: rank, waiting: depths)
        return true
    }

    /// The request that may use this endpoint next: of an overdue class if there is one, else
    /// of the most urgent class; within a class by the tenants' shares.
    private func nextWaiting(for index: Int, withBulk: Bool, at now: MonotonicTime) -> Int? {
        let bulk = ServiceClass.bulk.rank
        if let overdue = precedence.overdue, withBulk || overdue != bulk,
            let slot = firstWaiting(rank: overdue, for: index, at: now)
        {
            return slot
        }
        for rank in queue.depths.indices
        where queue.depths[rank] > 0 && (withBulk || rank != bulk) {
            if let slot = firstWaiting(rank: rank, for: index, at: now) { return slot }
        }
        return nil
    }

    private func firstWaiting(rank: Int, for index: Int, at now: MonotonicTime) -> Int? {
        queue.first(rank: rank, models: filter.models[index]) { slot in
            mayUse(index, slot)
                && endpoints[index].hasRoom(for: requests.records[slot].sequences, at: now)
                && (rank != ServiceClass.bulk.rank || !isFiller(slot, at: now)
                    || isForced(slot, at: now) || takesFiller(index, slot, at: now))
        }?.slot
    }

    /// Turns away those who wait for an endpoint that will not come back in their time.
    mutating func rejectHopeless(at now: MonotonicTime, into actions: inout [Action]) {
        guard queue.count > 0 else { return }
        scratchSlots.removeAll(keepingCapacity: true)
        queue.appendSlots(to: &scratchSlots)
        for position in scratchSlots.indices {
            let slot = scratchSlots[position]
            guard survey(slot, at: now) == .never else { continue }
            dequeue(slot)
            reject(slot, endReason(slot, else: .noEndpoints), at: now, into: &actions)
        }
    }

    mutating func drainAll(at now: MonotonicTime, into actions: inout [Action]) {
        isShuttingDown = true
        scratchSlots.removeAll(keepingCapacity: true)
        queue.appendSlots(to: &scratchSlots)
        for position in scratchSlots.indices {
            let slot = scratchSlots[position]
            dequeue(slot)
            reject(slot, .shuttingDown, at: now, into: &actions)
        }
    }

    /// What ends a request that can wait no longer: its last failure, if it had one.
    func endReason(_ slot: Int, else reason: RejectionReason) -> RejectionReason {
        guard let failure = requests.records[slot].lastFailure else { return reason }
        return failure.verdict == .saturated ? .saturated : .upstreamFailed
    }

    /// Ends a request that is in no queue and on no endpoint.
    mutating func reject(
        _ slot: Int, _ reason: RejectionReason, at now: MonotonicTime,
        into actions: inout [Action]
    ) {
        let record = requests.records[slot]
        let isForPower = record.lacksPower && (reason == .saturated || reason == .ttlExpired)
        var wait = pace.time(for: queue.count + 1)
        if case .saturated(let retryAfter?) = record.lastFailure { wait = max(wait, retryAfter) }
        if reason == .noEndpoints || reason == .upstreamFailed {
            wait = timeUntilUsable(record.request, at: now) ?? wait
        }
        let seconds = RetryAfter.seconds(for: wait, random: &random)
        actions.append(
            .reject(
                record.id,
                Rejection(
                    reason: isForPower ? .powerBudget : reason, retryAfterSeconds: seconds,
                    lastFailure: record.lastFailure, attempts: record.attempts)))
        requests.remove(slot: slot)
        ends += 1
    }

    /// Until the first endpoint that may take such a request is expected back.
    private func timeUntilUsable(
        _ request: InferenceRequest, at now: MonotonicTime
    ) -> TimeSpan? {
        var earliest: MonotonicTime?
        for index in filter.endpoints(of: request.model)
        where filter.permits(request, on: index) {
            guard let from = endpoints[index].usable(from: now) else { continue }
            earliest = min(earliest ?? from, from)
        }
        return earliest.map { $0 - now }
    }
}
