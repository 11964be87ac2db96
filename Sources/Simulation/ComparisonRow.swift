import InferenceTypes

/// One run in a comparison, in the units of its keys. All joules are modelled: the emulated
/// engines' integral of the power that their profiles say.
public struct ComparisonRow: Codable, Hashable, Sendable {
    public var policy: String
    public var seed: UInt64
    public var megajoules: Double
    /// Beyond what the fleet would have drawn with nothing to do.
    public var megajoulesAboveIdle: Double
    /// Counted to the run's own last completion only, for comparison with figures that are; of a
    /// fleet that is always on.
    public var megajoulesToLastEnd: Double
    public var joulesPerOutputToken: Double
    /// Share of requests whose promise was kept, 0 to 1.
    public var attainment: Double
    public var turnedAway: Int
    public var ttftMillisecondsP50: Double
    public var ttftMillisecondsP99: Double
    public var itlMillisecondsP50: Double
    public var itlMillisecondsP99: Double
    /// How often an endpoint was woken.
    public var wakeUps: Int
    /// Of each request's energy above idle, relative to the truth: what the ledger attributed,
    /// and what was predicted at its placement, which is what it added and not its share.
    public var attributionErrorP95: Double
    public var predictionErrorP50: Double
    /// Mean error of foretold interval power from ten minutes on, relative to the truth, over
    /// windows in which an endpoint did something; 0 without any.
    public var powerError: Double
    /// Over which energy was counted.
    public var horizonSeconds: Double
    /// Finished while requests still arrived.
    public var outputTokensPerSecond: Double
    /// True power, the mean over the second half of the time in which requests arrive.
    public var meanWatts: Double
    /// True power, the largest mean over one second.
    public var peakWatts: Double
    /// The longest time for which that was above the limit; `nil` without one.
    public var secondsAboveLimit: Double?
    /// Energy over a lower bound, less one; `nil` without one.
    public var aboveBound: Double?
    /// Requests placed in a second of real time, the engines' work and all else that a run takes
    /// included; `nil` if nobody looked at a clock. The only figure that differs from run to run.
    public var decisionsPerSecond: Double?
    /// Input tokens that came out of prefix caches, 0 to 1; `nil` where nobody could share.
    public var cachedShare: Double?
    /// One by one, where there is a mix of them.
    public var services: [ServiceRow]?

    enum CodingKeys: String, CodingKey {
        case policy, seed, megajoules, attainment, services
        case megajoulesAboveIdle = "megajoules_above_idle"
        case megajoulesToLastEnd = "megajoules_to_last_end"
        case joulesPerOutputToken = "joules_per_output_token"
        case turnedAway = "turned_away"
        case ttftMillisecondsP50 = "ttft_ms_p50"
        case ttftMillisecondsP99 = "ttft_ms_p99"
        case itlMillisecondsP50 = "itl_ms_p50"
        case itlMillisecondsP99 = "itl_ms_p99"
        case wakeUps = "wake_ups"
        case attributionErrorP95 = "attribution_error_p95"
        case predictionErrorP50 = "prediction_error_p50"
        case powerError = "power_error"
        case horizonSeconds = "horizon_seconds"
        case outputTokensPerSecond = "output_tokens_per_second"
        case meanWatts = "mean_watts"
        case peakWatts = "peak_watts"
        case decisionsPerSecond = "decisions_per_second"
        case aboveBound = "above_bound"
        case cachedShare = "cached_share"
        case secondsAboveLimit = "seconds_above_limit"
    }

    public init(
        _ record: RunRecord, services: [Workload.Service], seed: UInt64, limit: Watts? = nil,
        bound: Double? = nil
    ) {
        func milliseconds(_ share: Double, _ samples: [TimeSpan]) -> Double {
            percentile(share, of: samples)?.milliseconds ?? 0
        }
        let first = record.timesToFirstToken
        let gaps = record.interTokenLatencies
        policy = record.policy
        self.seed = seed
        megajoules = record.energy.total.value / 1e6
        megajoulesAboveIdle = record.energyAboveIdle.value / 1e6
        megajoulesToLastEnd = record.energyToLastEnd.value / 1e6
        joulesPerOutputToken = record.energyPerOutputToken
        attainment = record.attainment(services)
        turnedAway = record.outcomes.count { $0.finishedAt == nil }
        ttftMillisecondsP50 = milliseconds(0.5, first)
        ttftMillisecondsP99 = milliseconds(0.99, first)
        itlMillisecondsP50 = milliseconds(0.5, gaps)
        itlMillisecondsP99 = milliseconds(0.99, gaps)
        wakeUps = record.wakeUps
        attributionErrorP95 = percentile(0.95, of: record.attributionErrors) ?? 0
        predictionErrorP50 = percentile(0.5, of: record.predictionErrors) ?? 0
        powerError = record.powerError(from: .zero + .seconds(600)) ?? 0
        horizonSeconds = record.length.seconds
        outputTokensPerSecond = record.outputTokensPerSecond
        let last = (record.outcomes.last?.arrivedAt ?? .zero) - MonotonicTime.zero
        meanWatts = record.power.mean(from: TimeSpan(seconds: last.seconds / 2), to: last)
        peakWatts = record.power.peak
        aboveBound = bound.map { megajoules / $0 - 1 }
        secondsAboveLimit = limit.map { record.power.longestTime(above: $0).seconds }
    }
}
