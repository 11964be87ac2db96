import EnergyModel
import InferenceTypes

/// What meters and streams teach, and how it gets into the models. Decisions read tables; those
/// are written here, once per window of a meter at most.
extension Scheduler {
    /// `activities`: by position in the meter's endpoints.
    mutating func learn(
        from window: MeterWindow, _ activities: [EndpointActivity], at now: MonotonicTime
    ) {
        // Neither sleep nor waking is in the curve.
        var isAwake = true
        for id in ledger.meters[window.meter.index].endpoints {
            let power = endpoints[id.index].power
            isAwake = isAwake && power.state == .awake && power.since <= window.start
        }
        let changed = learning.energy.learn(
            from: window, activities, isLearning: configuration.learns && isAwake)
        for index in changed { refresh(index, at: now) }
    }

    mutating func relabelled(_ id: EndpointID, _ label: UInt64, at now: MonotonicTime) {
        guard configuration.learns, endpoints.indices.contains(id.index) else { return }
        for index in learning.energy.select(label: label, of: id.index) {
            learning.times[index] = TimeLearner()
            refresh(index, at: now)
        }
    }

    /// Writes what is known into the endpoint's model.
    private mutating func refresh(_ index: Int, at now: MonotonicTime) {
        models[index].rewrite(
            from: learning.priors[index], endpoint: index, energy: learning.energy,
            time: &learning.times[index])
        endpoints[index].timePerToken = EndpointState.timePerToken(models[index])
        // The work clock reads its figures again.
        ledger.foreign(
            endpoints[index].foreign.sequences(at: now), on: index, models[index], at: now)
        notePower(index, at: now)
    }

    /// Where no meter reports, or seldom, what streams taught gets in this way.
    mutating func refreshTimes(at now: MonotonicTime) {
        guard configuration.learns, learning.isDue(at: now) else { return }
        for index in endpoints.indices where learning.times[index].takeChange() {
            refresh(index, at: now)
        }
    }

    // MARK: Streams

    mutating func noteForLearning(placed slot: Int, on index: Int, at now: MonotonicTime) {
        guard configuration.learns else { return }
        requests.records[slot].timing.placedAt = now
        // Its own prompt is already among those waited for.
        requests.records[slot].timing.isAlone =
            endpoints[index].prefill.isWaiting(onlyFor: requests.records[slot].prefill)
            && requests.records[slot].request.streams && requests.records[slot].sequences == 1
        learning.placed(index, at: now)
    }

    mutating func noteForLearning(firstTokenOf slot: Int, on index: Int, at now: MonotonicTime) {
        guard configuration.learns else { return }
        let record = requests.records[slot]
        requests.records[slot].timing.reportedAt = now
        learning.disturbed(index, at: now)
        guard record.timing.isAlone, record.request.task.generates,
            learning.isLast(index, placedAt: record.timing.placedAt),
            endpoints[index].foreign.isNone
        else { return }
        let prior = learning.priors[index]
        let batch = endpoints[index].running.decodingSequences
        let size = RequestSize(
            inputTokens: record.inputTokens, cachedInputTokens: record.cachedTokens,
            outputTokens: 1)
        guard batch <= prior.curve.capacity else { return }
        learning.times[index].answered(
            after: now - record.timing.placedAt, overhead: configuration.model.overhead,
            prefill: prior.prefillTime(of: size),
            step: prior.curve.iterationTime(batch: batch), batch: batch)
    }

    /// Before the new total takes the place of the old one.
    mutating func noteForLearning(
        _ slot: Int, produced: Int, on index: Int, at now: MonotonicTime
    ) {
        guard configuration.learns else { return }
        let then = requests.records[slot].timing.reportedAt
        requests.records[slot].timing.reportedAt = now
        guard endpoints[index].prefill.isEmpty, endpoints[index].foreign.isNone else { return }
        let gained = produced - requests.records[slot].progress
        guard requests.records[slot].request.streams, requests.records[slot].progress > 0,
            gained >= 0
        else { return }
        learning.gained(
            Double(gained) / Double(requests.records[slot].sequences), from: then, to: now,
            batch: endpoints[index].running.decodingSequences, on: index)
    }

    // MARK: Readings

    /// Joules that the model had foretold for the meter's last window, before it learned from it.
    public func prediction(of meter: MeterID) -> Joules? { learning.energy.prediction(of: meter) }

    /// The model of an endpoint, with what was learned.
    public func model(of endpoint: EndpointID) -> EndpointModel? {
        models.indices.contains(endpoint.index) ? models[endpoint.index] : nil
    }
}
