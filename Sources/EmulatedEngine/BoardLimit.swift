import InferenceTypes

/// What an accelerator's own power limit does to it: the clock goes down until the power above idle
/// fits, and computing takes longer.
///
///     f = ((limit - P0) / (P - P0)) ^ (1 / 1.7)
///     prefill takes 1 / f as long, decoding max(1, 0.77 / f)
///
/// Modelled, not measured. The exponent and the second rule follow the capped rows of the Splitwise
/// tables: at 70 % of board power prompts take 1.30 times as long (f = 0.77) and tokens no longer
/// at all, since memory sets their pace.
///
/// Worked, P0 = 120 W: prefill at 640 W under 520 W: f = (400 / 520) ^ 0.588 = 0.857, 1.167 times
/// as long at 520 W.
struct BoardLimit {
    var limit: Double
    var idle: Double
    static let exponent = 1.7
    /// The clock down to which memory, not computing, sets the pace of decoding.
    static let memoryBound = 0.77
    /// Clocks have an end: below this the limit is not met.
    static let lowestClock = 0.2

    private func clock(_ watts: Double) -> Double {
        guard watts > limit, watts > idle else { return 1 }
        let share = max(limit - idle, 0) / (watts - idle)
        return max(Mathematics.pow(share, 1 / Self.exponent), Self.lowestClock)
    }

    private func power(_ watts: Double, at clock: Double) -> Double {
        idle + (watts - idle) * Mathematics.pow(clock, Self.exponent)
    }

    func prefill(nanoseconds: Double, watts: Double) -> (Double, Double) {
        let clock = clock(watts)
        return clock < 1 ? (nanoseconds / clock, power(watts, at: clock)) : (nanoseconds, watts)
    }

    func decode(nanoseconds: Double, watts: Double) -> (Double, Double) {
        let clock = clock(watts)
        guard clock < 1 else { return (nanoseconds, watts) }
        return (nanoseconds * max(1, Self.memoryBound / clock), power(watts, at: clock))
    }
}
