import InferenceTypes

/// How much of what an endpoint is believed to hold it finds, by its own word: 1 all, 0 nothing.
/// A server without a prefix cache, or with a smaller one, is thus believed less and less. Without
/// a word for a while the factor goes back to where it began, so that nobody stays disbelieved.
///
/// Worked, start 0.9, gain 0.1: after the word "none" 0.81, after ten of them 0.31; ten minutes
/// later 0.68.
struct HitFactor: Hashable, Sendable {
    static let start = 0.9
    static let gain = 0.1
    static let memory = TimeSpan.seconds(600)

    private var factor = HitFactor.start
    private var at = MonotonicTime.zero

    func value(at now: MonotonicTime) -> Double {
        guard factor != Self.start else { return factor }
        let elapsed = max((now - at).seconds, 0)
        return Self.start + (factor - Self.start) * Mathematics.exp(-elapsed / Self.memory.seconds)
    }

    /// - Parameters:
    ///   - believed: tokens that the table promised.
    ///   - said: tokens that the server found.
    ///   - requests: how many this is the sum of.
    mutating func observe(believed: Int, said: Int, requests: Int = 1, at now: MonotonicTime) {
        guard believed > 0 else { return }
        let share = min(max(Double(said) / Double(believed), 0), 1)
        let before = value(at: now)
        let gain =
            requests == 1
            ? Self.gain : 1 - Mathematics.exp(Double(requests) * Mathematics.log(1 - Self.gain))
        factor = before + (share - before) * gain
        at = now
    }
}
