import InferenceTypes

/// How many messages come per second, as of late.
///
///     before an arrival at t:  c = c / (1 + (t - t0) / T),   rate = c / T
///     at the arrival:          c = c + 1,                    t0 = t
///
/// Steady arrivals with a gap g settle at exactly 1 / g, alone or in bursts: c before each burst
/// of k is T / g. Worked, T = 10 ms: a message each 0.1 ms settles at c = 100 and 10,000 per
/// second; after one second of silence c = 100 / 101, 99 per second.
struct ArrivalRate: Sendable {
    private let window: TimeSpan
    private var level = 0.0
    private var last: MonotonicTime?

    init(window: TimeSpan) { self.window = max(window, .milliseconds(1)) }

    /// Messages per second before those of this very moment.
    func perSecond(at now: MonotonicTime) -> Double { decayed(at: now) / window.seconds }

    mutating func arrived(at now: MonotonicTime) {
        // Who came earlier than the last one and is told of late belongs to its burst.
        if let last, now <= last {
            level += 1
            return
        }
        before = decayed(at: now)
        level = before + 1
        last = now
    }

    /// The level before the burst that came at `last`.
    private var before = 0.0

    private func decayed(at now: MonotonicTime) -> Double {
        guard let last else { return 0 }
        if now <= last { return before }
        return level / (1 + (now - last).seconds / window.seconds)
    }
}
