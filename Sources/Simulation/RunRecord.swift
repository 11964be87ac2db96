import EmulatedEngine
import InferenceTypes

/// One run, as it was.
public struct RunRecord: Sendable {
    public var policy: String
    public var outcomes: [RequestOutcome]
    /// Over which energy was counted.
    public var length: TimeSpan
    public var energy: EnergyByState
    /// What the fleet would have drawn with nothing to do.
    public var idleFloor: Joules
    public var energyByEndpoint: [Joules]
    public var decisions: Int
    /// How often an endpoint was woken.
    public var wakeUps = 0
    public var power: PowerSeries
    /// By meter window of an endpoint that did something: when it ended, and how far its energy
    /// had been foretold from the truth, relative to it, before the window was learned from.
    public var powerErrors: [(at: MonotonicTime, error: Double)]

    /// Mean of their magnitudes from some time on; `nil` without windows.
    public func powerError(from start: MonotonicTime = .zero) -> Double? {
        let errors = powerErrors.filter { $0.at >= start }
        guard !errors.isEmpty else { return nil }
        return errors.reduce(0) { $0 + $1.error.magnitude } / Double(errors.count)
    }

    public var energyAboveIdle: Joules { energy.total - idleFloor }

    /// Without the idle power of the time after the last completion, in which nothing runs.
    public var energyToLastEnd: Joules {
        let last = outcomes.reduce(MonotonicTime.zero) { max($0, $1.finishedAt ?? .zero) }
        guard length > .zero, last > .zero else { return energy.total }
        let rest = max(length.seconds - last.seconds, 0) / length.seconds
        return energy.total - Joules(idleFloor.value * rest)
    }

    /// Of all input tokens of requests that were answered, the share that came out of prefix
    /// caches.
    public var cachedShare: Double {
        let input = finished.reduce(0) { $0 + $1.inputTokens }
        return input == 0
            ? 0 : Double(finished.reduce(0) { $0 + $1.cachedTokens }) / Double(input)
    }

    public var finished: [RequestOutcome] { outcomes.filter { $0.finishedAt != nil } }

    /// Share of all requests whose promise was kept, 0 to 1.
    public func attainment(_ services: [Workload.Service]) -> Double {
        guard !outcomes.isEmpty else { return 1 }
        let met = outcomes.reduce(0) { $0 + ($1.met(services[$1.service].objective) ? 1 : 0) }
        return Double(met) / Double(outcomes.count)
    }

    /// Output tokens per second of what was finished while requests still arrived.
    public var outputTokensPerSecond: Double {
        guard let last = outcomes.last?.arrivedAt, last > .zero else { return 0 }
        let tokens = outcomes.reduce(0) { sum, outcome in
            outcome.finishedAt.map { $0 <= last } ?? false ? sum + outcome.outputTokens : sum
        }
        return Double(tokens) / last.seconds
    }

    /// J per output token that came out.
    public var energyPerOutputToken: Double {
        let tokens = finished.reduce(0) { $0 + $1.outputTokens }
        return tokens == 0 ? 0 : energy.total.value / Double(tokens)
    }

    public var timesToFirstToken: [TimeSpan] { outcomes.compactMap(\.timeToFirstToken) }
    public var interTokenLatencies: [TimeSpan] { outcomes.compactMap(\.interTokenLatency) }

    /// Of requests that were answered: how far the ledger's figure is from the truth, relative.
    public var attributionErrors: [Double] {
        finished.compactMap { $0.error(of: $0.attributedEnergy.joules) }
    }

    /// The same of the prediction at placement.
    public var predictionErrors: [Double] {
        finished.compactMap { $0.error(of: $0.predictedEnergy) }
    }
}

/// The value below which a share of the samples lies: the nearest rank; `nil` without samples.
public func percentile<Sample: Comparable>(_ share: Double, of samples: [Sample]) -> Sample? {
    guard !samples.isEmpty else { return nil }
    let rank = (share * Double(samples.count)).rounded(.up)
    return samples.sorted()[max(min(Int(rank), samples.count), 1) - 1]
}
