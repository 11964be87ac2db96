import InferenceTypes

extension Scheduler {
    /// What must hold after every event, and does not; one line each. For tests and the
    /// simulator: it walks everything.
    public func checkInvariants(at now: MonotonicTime) -> [String] {
        var broken: [String] = []
        if arrivals != ends + UInt64(requests.count) {
            broken.append("\(arrivals) arrived, \(ends) ended, \(requests.count) are here")
        }
        checkQueue(&broken)
        checkEndpoints(&broken)
        checkNobodyWaitsInVain(at: now, &broken)
        broken += ledger.imbalances
        return broken
    }

    private func checkQueue(_ broken: inout [String]) {
        var waiting: [Int] = []
        queue.appendSlots(to: &waiting)
        if waiting.count != queue.count || queue.depths.reduce(0, +) != queue.count {
            broken.append("queue counts \(queue.count) and holds \(waiting.count)")
        }
        if queue.count > configuration.limits.queuedRequests {
            broken.append("queue holds \(queue.count)")
        }
        if isShuttingDown, queue.count > 0 { broken.append("queued while shutting down") }
        let queued = requests.records.indices.filter {
            requests.records[$0].phase == .queued
        }
        if !queue.isConsistent { broken.append("tenants' shares do not agree with the queue") }
        if waiting.sorted() != queued { broken.append("queue and records disagree") }
        for slot in queued where requests.records[slot].attempts > 0 {
            if requests.records[slot].attempts >= configuration.limits.attempts {
                broken.append("request \(slot) waits with no attempt left")
            }
        }
    }

    private func checkEndpoints(_ broken: inout [String]) {
        var running = 0
        for (index, endpoint) in endpoints.enumerated() {
            running += endpoint.running.count
            if !members[index].isConsistent || members[index].totals != endpoint.running {
                broken.append("endpoint \(index): sums do not agree")
            }
            if endpoint.running.sequences > endpoint.limit, endpoint.running.count > 1 {
                broken.append(
                    "endpoint \(index): \(endpoint.running.sequences) over \(endpoint.limit)")
            }
            var trials = 0
            for (position, slot) in members[index].slots.enumerated() {
                let phase = requests.records[slot].phase
                if phase != .running(endpoint: index, position: position) {
                    broken.append("endpoint \(index) holds slot \(slot), which is \(phase)")
                }
                if requests.records[slot].isTrial { trials += 1 }
            }
            if trials != (endpoint.breaker.state == .trial ? 1 : 0) {
                broken.append(
                    "endpoint \(index): \(trials) trials, \(endpoint.breaker.state)")
            }
        }
        let records = requests.records.count { record in
            if case .running = record.phase { return true }
            return false
        }
        if records != running {
            broken.append("\(records) requests run, endpoints hold \(running)")
        }
    }

    private func waitsByChoice(_ slot: Int, at now: MonotonicTime) -> Bool {
        guard let wake = patienceWake, wake <= now + configuration.patience.interval else {
            return false
        }
        // Its time may have run out since it looked last.
        return mayWait(slot, at: now - configuration.patience.interval)
    }

    private func fillsLater(_ rank: Int, at now: MonotonicTime) -> Bool {
        guard rank == ServiceClass.bulk.rank, let wake = fillerWake else { return false }
        return wake <= now + configuration.filler.interval
    }

    private func waitsForPower(_ slot: Int) -> Bool {
        power.isOn && powerWake != nil && requests.records[slot].lacksPower
    }

    /// No endpoint has room for the first of a lane. Left out is what only time can change:
    /// slow start, foreign load that grows old, a wake-up that is due; and those who wait by
    /// choice or for power, as long as they may and look again soon.
    private func checkNobodyWaitsInVain(at now: MonotonicTime, _ broken: inout [String]) {
        guard queue.count > 0, deadlines.first.map({ $0.time > now }) ?? true else { return }
        for (index, endpoint) in endpoints.enumerated() {
            guard endpoint.isUsable(at: now), endpoint.slowStart.isOver(at: now),
                endpoint.foreign.isNone
            else { continue }
            for model in filter.models[index] {
                for rank in queue.depths.indices where !fillsLater(rank, at: now) {
                    let ticket = queue.first(rank: rank, models: [model]) { slot in
                        mayUse(index, slot)
                            && endpoint.hasRoom(
                                for: requests.records[slot].sequences, at: now)
                    }
                    if let ticket, !waitsByChoice(ticket.slot, at: now),
                        !waitsForPower(ticket.slot)
                    {
                        broken.append("endpoint \(index) has room for slot \(ticket.slot)")
                    }
                }
            }
        }
    }
}
