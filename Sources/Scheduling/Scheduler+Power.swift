import EnergyModel
import InferenceTypes

/// Power limits: what a placement would draw, who is held while there is too much, and when the
/// predictions are made anew.
extension Scheduler {
    mutating func setPowerLimits(
        _ limits: PowerLimits, at now: MonotonicTime, into actions: inout [Action]
    ) {
        power.set(limits)
        if power.isOn { renewPower(at: now, into: &actions) } else { powerWake = nil }
        lookAgain(at: now, into: &actions)
    }

    /// True if the limits allow the request on this endpoint now.
    func powerAdmits(_ index: Int, _ slot: Int, at now: MonotonicTime) -> Bool {
        let size = requests.records[slot].size
        var load = endpoints[index].load(at: now)
        load.batch += models[index].prefillRule == .onePass || size.generates ? size.sequences : 0
        load.recentPrefill = load.recentPrefill + models[index].prefillTime(of: size)
        return power.admits(
            index, watts: models[index].power(on: load).value,
            isBulk: requests.records[slot].request.serviceClass == .bulk)
    }

    /// After anything that changed the load of an endpoint.
    mutating func notePower(_ index: Int, at now: MonotonicTime) {
        guard power.isOn else { return }
        if endpoints[index].power.state == .asleep {
            let watts = configuration.endpoints[index].profile.sleepPower.value
            power.update(index, watts: watts, own: 0)
            return
        }
        let load = endpoints[index].load(at: now)
        let watts = models[index].power(on: load).value
        let foreign = endpoints[index].foreign.sequences(at: now)
        let ownShare =
            load.batch > 0 ? Double(load.batch - foreign) / Double(load.batch) : 0
        power.update(
            index, watts: watts, own: (watts - models[index].curve.idlePower.value) * ownShare)
    }

    /// From the first request on, until there are none.
    mutating func startPowerWatch(at now: MonotonicTime) {
        guard power.isOn, powerWake == nil else { return }
        let wake = now + power.configuration.interval
        powerWake = wake
        deadlines.add(.power, at: wake)
    }

    /// Predictions of all endpoints, and what follows from them.
    mutating func renewPower(at now: MonotonicTime, into actions: inout [Action]) {
        powerWake = nil
        guard power.isOn else { return }
        for index in endpoints.indices { notePower(index, at: now) }
        power.refresh()
        for index in endpoints.indices
        where power.isHeld[index]
            && (endpoints[index].running.count == 0 || power.pressure(on: index) == 0)
        {
            power.hold(index, false)
        }
        holdBack(at: now)
        if queue.count > 0 { retryLater(at: now) }
        if requests.count > 0 { startPowerWatch(at: now) }
    }

    /// Holds the least efficient endpoints until what is left fits under the limit: merging load
    /// on the others keeps their batches full, while less of everything everywhere would cost
    /// most of the throughput.
    private mutating func holdBack(at now: MonotonicTime) {
        guard let first = power.worst else {
            power.overSince = nil
            return
        }
        let since = power.overSince ?? now
        power.overSince = since
        let isGross = first.watts > first.limit * power.configuration.tolerance
        guard isGross || now - since >= power.configuration.patience else { return }
        while let worst = power.worst, let index = leastEfficient(in: worst.account) {
            power.hold(index, true, replaces: isGross)
        }
    }

    /// Of the endpoints in the account that run something and are not held, the one with the
    /// fewest tokens per joule above idle: the smallest batch, on like hardware.
    private func leastEfficient(in account: Int) -> Int? {
        var best: Int?
        var least = Double.infinity
        var others = 0
        for index in endpoints.indices where !power.isHeld[index] {
            guard account < 0 || endpoints[index].pool.index == account,
                endpoints[index].running.count > 0
            else { continue }
            others += 1
            let batch = max(endpoints[index].running.sequences, 1)
            let energy = models[index].curve.energyAboveIdle(batch: batch).value
            let tokens = Double(min(batch, models[index].curve.capacity)) / max(energy, 1e-9)
            if tokens < least {
                least = tokens
                best = index
            }
        }
        // The last one goes on: a limit below what one endpoint draws is met by its gate alone.
        return others > 1 ? best : nil
    }
}

extension RequestRecord {
    @inline(__always)
    var size: RequestSize {
        RequestSize(
            inputTokens: inputTokens, outputTokens: outputTokens, sequences: sequences,
            generates: request.task.generates)
    }
}
