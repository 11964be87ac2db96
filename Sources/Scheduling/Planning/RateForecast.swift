import InferenceTypes

/// What a rate will be in half a minute, from samples of a few seconds: a level and a trend that
/// one odd sample cannot move far, the usual deviation from them, and a fast mean beside it that
/// sees a crowd at once.
///
///     e      = x - (level + trend dt), cut at 3 deviations
///     level += trend dt + a e          a = 1 - exp(-dt / 20 s)
///     trend += b (a e / dt - trend x 0.1)
///     high   = max(level + trend h + 1.645 deviation sqrt(dt / 5 s), fast)
struct RateForecast: Hashable, Sendable {
    struct Memory: Hashable, Sendable {
        var level = 20.0
        var trend = 90.0
        var deviation = 120.0
        var fast = 2.0
        /// Over so many seconds a burst is evened out by those who wait for their first token.
        var burst = 5.0
        /// A crowd grows to so many times what is seen of it.
        var surge = 1.3
        /// Of a normal distribution: 95 %.
        var quantile = 1.645
    }

    private(set) var level: Double?
    private(set) var trend = 0.0
    private var deviation = 0.0
    private var fast = 0.0
    private var interval = 1.0
    private let memory: Memory

    init(_ memory: Memory = Memory()) { self.memory = memory }

    /// `sample`: per second, over the `interval` seconds before now.
    mutating func add(_ sample: Double, interval: Double) {
        guard interval > 0, sample.isFinite else { return }
        self.interval = interval
        guard let before = level else {
            level = sample
            fast = sample
            deviation = sample / 2
            return
        }
        fast += weight(memory.fast) * (sample - fast)
        let expected = before + trend * interval
        let error = sample - expected
        let bound = max(3 * deviation, 0.02 * expected)
        let trimmed = min(max(error, -bound), bound)
        let change = weight(memory.level) * trimmed
        trend += weight(memory.trend) * (change / interval - 0.1 * trend)
        level = max(expected + change, 0)
        // 1.25 mean absolute deviations are a standard deviation.
        deviation += weight(memory.deviation) * (1.25 * min(error.magnitude, 2 * bound) - deviation)
    }

    /// What 95 % of the bursts will stay below within `horizon`.
    func high(in horizon: TimeSpan) -> Double {
        guard let level else { return 0 }
        let noise = deviation * min(interval / memory.burst, 1).squareRoot()
        let ahead = level + trend * horizon.seconds
        let usual = max(ahead, level * 0.5) + memory.quantile * noise
        // A crowd is seldom complete when it is first seen.
        return fast > level + 3 * noise ? max(usual, memory.surge * fast) : usual
    }

    private func weight(_ seconds: Double) -> Double {
        1 - Mathematics.exp(-interval / seconds)
    }
}
