import EnergyModel
import InferenceTypes

/// What the energy ledger is told of requests, and what it is asked when meters report.
extension Scheduler {
    /// Meters' windows that have closed. Hand them in as soon as their last reading is in: what
    /// the endpoints did until now is taken for what the window saw.
    mutating func metered(_ windows: [MeterWindow], at now: MonotonicTime) {
        for window in windows where ledger.meters.indices.contains(window.meter.index) {
            let endpoints = ledger.meters[window.meter.index].endpoints
            for id in endpoints {
                let foreign = self.endpoints[id.index].foreign.sequences(at: now)
                ledger.foreign(foreign, on: id.index, models[id.index], at: now)
            }
            let activities = ledger.takeActivities(of: window, at: now)
            learn(from: window, activities, at: now)
        }
    }

    /// `activities`: by position in the meter's endpoints.
    mutating func learn(
        from window: MeterWindow, _ activities: [EndpointActivity], at now: MonotonicTime
    ) {}

    mutating func notePlaced(
        _ slot: Int, _ size: RequestSize, prefill: TimeSpan, on index: Int, at now: MonotonicTime
    ) {
        let demand = RequestWork.Demand(
            inputTokens: size.uncachedInputTokens, sequences: size.sequences,
            generates: size.generates, streams: requests.records[slot].request.streams)
        requests.records[slot].work = ledger.placed(
            demand, prefill: prefill, on: index, models[index], at: now)
    }

    /// The request in `slot` is off endpoint `index`.
    mutating func noteLeft(
        _ slot: Int, _ index: Int, isAnswered: Bool, usage: Usage, at now: MonotonicTime
    ) {
        ledger.left(
            &requests.records[slot].work, isAnswered: isAnswered, usage: usage, on: index,
            models[index], at: now)
    }
}
