import EnergyModel
import InferenceTypes

/// What the energy ledger is told of requests, and what it is asked when meters report.
extension Scheduler {
    static func ledger(
        _ configuration: Configuration, _ models: [EndpointModel], at start: MonotonicTime
    ) -> EnergyLedger {
        var ledger = EnergyLedger(
            meters: configuration.meters,
            endpoints: configuration.endpoints.map {
                EnergyLedger.Endpoint(
                    pool: $0.pool, scope: $0.profile.meterScope,
                    sleepPower: $0.profile.sleepPower)
            },
            models: models,
            accounts: AccountTable(
                pools: configuration.pools.count, models: configuration.modelCount,
                tenants: configuration.tenants.count,
                most: configuration.limits.energyAccounts),
            mostUnsettled: configuration.limits.unsettledRequests, at: start)
        ledger.chargesContext = configuration.chargesContext
        return ledger
    }

    /// Meters' windows that have closed. Hand them in as soon as their last reading is in: what
    /// the endpoints did until now is taken for what the window saw.
    mutating func metered(
        _ windows: [MeterWindow], at now: MonotonicTime, into actions: inout [Action]
    ) {
        for window in windows where ledger.admits(window) {
            let ids = ledger.meters[window.meter.index].endpoints
            scratchShares.removeAll()
            for position in ids.indices {
                let index = ids[position].index
                let foreign = endpoints[index].foreign.sequences(at: now)
                ledger.foreign(foreign, on: index, models[index], at: now)
                let power = endpoints[index].power
                let isAwake = power.state == .awake || power.state == .retiring
                ledger.setAwake(since: isAwake ? power.since : nil, index)
                for slot in members[index].slots {
                    ledger.add(
                        requests.records[slot].work, request: requests.records[slot].id,
                        at: position, of: window.meter, models[index], at: now,
                        to: &scratchShares)
                }
            }
            let activities = ledger.close(window, &scratchShares, models: models, at: now)
            settle(into: &actions)
            if !activities.isEmpty { learn(from: window, activities, at: now) }
        }
    }

    /// Hands everybody their part of a window that was closed.
    private mutating func settle(into actions: inout [Action]) {
        for index in scratchShares.shares.indices {
            guard let id = scratchShares.shares[index].request else { continue }
            let attribution = scratchShares.shares[index].attribution
            if index < scratchShares.running, let slot = requests.slot(of: id) {
                ledger.credit(attribution, to: &requests.records[slot].work)
            }
            if configuration.reportsAttribution { actions.append(.attributed(id, attribution)) }
        }
    }

    mutating func notePlaced(
        _ slot: Int, _ size: RequestSize, prefill: TimeSpan, on index: Int, at now: MonotonicTime
    ) {
        let demand = RequestWork.Demand(
            inputTokens: size.uncachedInputTokens, sequences: size.sequences,
            generates: size.generates, streams: requests.records[slot].request.streams)
        let account = ledger.accounts.index(
            of: AccountTable.Key(
                pool: endpoints[index].pool, model: requests.records[slot].request.model,
                tenant: requests.records[slot].request.tenant,
                serviceClass: requests.records[slot].request.serviceClass))
        noteForLearning(placed: slot, on: index, at: now)
        var work = ledger.placed(
            demand, number: requests.records[slot].number, account: account, prefill: prefill,
            on: index, at: now)
        if requests.records[slot].attempts > 0 { work.carry(from: requests.records[slot].work) }
        requests.records[slot].work = work
    }

    /// The request in `slot` is off endpoint `index`.
    mutating func noteLeft(
        _ slot: Int, _ index: Int, isAnswered: Bool, usage: Usage, at now: MonotonicTime
    ) {
        learning.disturbed(index, at: now)
        ledger.left(
            &requests.records[slot].work, request: requests.records[slot].id,
            isAnswered: isAnswered, usage: usage, on: index, at: now)
        guard requests.records[slot].request.reportsEnergy else { return }
        // Of an attempt that failed the next one carries what it has cost.
        let figure = ledger.figure(
            of: requests.records[slot].work, on: index, models[index], at: now)
        requests.records[slot].work.charge(figure)
        requests.setCharge(figure, of: slot)
    }

    /// Tells the shell what a request has cost that asked for it.
    mutating func charge(_ slot: Int, into actions: inout [Action]) {
        guard let charge = requests.charge(of: slot) else { return }
        actions.append(.charged(requests.records[slot].id, charge))
    }
}
