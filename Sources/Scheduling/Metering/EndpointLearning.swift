import EnergyModel
import InferenceTypes

/// What is learned of the endpoints, beside the models that hold it.
struct EndpointLearning: Sendable {
    var energy: EnergyLearner
    /// By endpoint, as the two that follow.
    var times: [TimeLearner]
    /// The models as the profiles made them.
    let priors: [EndpointModel]
    private var placedAt: [MonotonicTime]
    private var refreshedAt = MonotonicTime(nanoseconds: .min)

    /// Tables are written again at most so often for times alone.
    static let refreshInterval = TimeSpan.seconds(5)

    init(_ ledger: EnergyLedger, _ models: [EndpointModel]) {
        energy = EnergyLearner(ledger, models: models)
        times = Array(repeating: TimeLearner(), count: models.count)
        priors = models
        placedAt = Array(repeating: MonotonicTime(nanoseconds: .min), count: models.count)
    }

    mutating func disturbed(_ index: Int, at now: MonotonicTime) {
        times[index].disturbed(at: now)
    }

    mutating func placed(_ index: Int, at now: MonotonicTime) {
        times[index].disturbed(at: now)
        placedAt[index] = now
    }

    /// True if nothing was placed there since.
    func isLast(_ index: Int, placedAt time: MonotonicTime) -> Bool { placedAt[index] <= time }

    /// One sequence gained tokens at a batch, with nothing else going on.
    mutating func gained(
        _ tokens: Double, from then: MonotonicTime, to now: MonotonicTime, batch: Int,
        on index: Int
    ) {
        guard batch > 0, batch <= priors[index].curve.capacity else { return }
        times[index].gained(
            tokens, from: then, to: now, batch: batch,
            step: priors[index].curve.iterationTime(batch: batch))
    }

    mutating func isDue(at now: MonotonicTime) -> Bool {
        guard now - refreshedAt >= Self.refreshInterval else { return false }
        refreshedAt = now
        return true
    }
}

/// When things happened to a request, as far as learning needs it.
struct RequestTiming: Hashable, Sendable {
    var placedAt = MonotonicTime.zero
    var reportedAt = MonotonicTime.zero
    /// No other prompt was in its way.
    var isAlone = false
}
