import InferenceTypes

/// What is learned about endpoints, and what time does to them.
extension Scheduler {
    mutating func probed(
        _ id: EndpointID, healthy: Bool, at now: MonotonicTime, into actions: inout [Action]
    ) {
        guard endpoints.indices.contains(id.index) else { return }
        let wasUsable = endpoints[id.index].health.isUsable
        if endpoints[id.index].health.observe(healthy: healthy) {
            returned(id.index, at: now, into: &actions)
        } else if wasUsable, !endpoints[id.index].health.isUsable {
            // Whatever answers there again may be another process.
            affinity.table.forget(id.index)
            report(id.index, at: now, into: &actions)
            rejectHopeless(at: now, into: &actions)
        }
    }

    mutating func scraped(
        _ id: EndpointID, _ load: ScrapedLoad, at now: MonotonicTime,
        into actions: inout [Action]
    ) {
        guard endpoints.indices.contains(id.index) else { return }
        let own = endpoints[id.index].running.sequences
        endpoints[id.index].foreign.observe(load, own: own)
        affinity.scraped(load.cache, kvUsage: load.kvUsage, on: id.index, at: now)
        notePower(id.index, at: now)
        ledger.foreign(
            endpoints[id.index].foreign.sequences(at: now), on: id.index, models[id.index],
            at: now)
        drainQueue(for: id.index, at: now, into: &actions)
    }

    mutating func setEndpointState(
        _ id: EndpointID, _ state: AdministrativeState, at now: MonotonicTime,
        into actions: inout [Action]
    ) {
        guard endpoints.indices.contains(id.index) else { return }
        endpoints[id.index].administrative = state
        report(id.index, at: now, into: &actions)
        switch state {
        case .active: drainQueue(for: id.index, at: now, into: &actions)
        case .draining: rejectHopeless(at: now, into: &actions)
        }
    }

    /// Tells the shell if the endpoint's condition is another one than it was told last, and
    /// sees to it that the next change that time alone will bring is noticed.
    mutating func report(
        _ index: Int, at now: MonotonicTime, into actions: inout [Action]
    ) {
        let condition = endpoints[index].condition(at: now)
        let next = endpoints[index].nextChange(after: now)
        if condition != endpoints[index].reported {
            endpoints[index].reported = condition
            actions.append(.endpointStateChanged(endpoints[index].id, condition))
        }
        guard let next else { return }
        if let wake = endpoints[index].wake, wake <= next { return }
        endpoints[index].wake = next
        deadlines.add(.endpoint(index), at: next)
    }

    /// Handles everything whose time has come.
    mutating func handleDue(at now: MonotonicTime, into actions: inout [Action]) {
        while let entry = deadlines.first, entry.time <= now {
            deadlines.removeFirst()
            switch entry.subject {
            case .request(let slot, let number):
                guard isWaiting(slot, number) else { continue }
                dequeue(slot)
                reject(slot, endReason(slot, else: .ttlExpired), at: now, into: &actions)
            case .filler:
                guard fillerWake == entry.time else { continue }
                fill(at: now, into: &actions)
            case .patience:
                guard patienceWake == entry.time else { continue }
                lookAgain(at: now, into: &actions)
            case .power:
                guard powerWake == entry.time else { continue }
                renewPower(at: now, into: &actions)
            case .endpoint(let index):
                guard endpoints[index].wake == entry.time else { continue }
                endpoints[index].wake = nil
                report(index, at: now, into: &actions)
                drainQueue(for: index, at: now, into: &actions)
            }
        }
    }

    private func isWaiting(_ slot: Int, _ number: UInt64) -> Bool {
        requests.records[slot].phase == .queued && requests.records[slot].number == number
    }

    private func holds(_ entry: DeadlineHeap.Entry) -> Bool {
        switch entry.subject {
        case .request(let slot, let number): isWaiting(slot, number)
        case .endpoint(let index): endpoints[index].wake == entry.time
        case .patience: patienceWake == entry.time
        case .filler: fillerWake == entry.time
        case .power: powerWake == entry.time
        }
    }

    /// So that ``nextDeadline()`` names a time at which something really happens.
    mutating func dropStaleDeadlines() {
        while let entry = deadlines.first, !holds(entry) { deadlines.removeFirst() }
    }

    /// Most entries of a busy queue are overtaken by a dispatch: thrown out now and then, so
    /// that their number stays within a factor of what waits.
    mutating func compactDeadlines() {
        guard deadlines.count > 2 * (queue.count + endpoints.count) + 1_024 else { return }
        var kept = deadlines
        kept.keep { holds($0) }
        deadlines = kept
    }
}
