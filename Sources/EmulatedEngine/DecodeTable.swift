import InferenceTypes

/// Duration and power of one decode iteration for every batch from 0 to the engine's limit,
/// read off the profile's knots once.
///
/// Between two knots both quantities are straight lines in log-log scale. With knots
/// (8, 10 ms) and (32, 20 ms), batch 16 lies half-way in log: sqrt(10 x 20) = 14.142 ms.
/// Below the first knot its values hold; beyond the last one time goes on with the last slope
/// and power stays. A profile with compiled buckets costs what the smallest bucket that holds
/// the batch costs: with buckets 1, 4, 8 a batch of 5 takes the time and the power of 8.
struct DecodeTable: Sendable {
    /// Nanoseconds by batch, at least 1.
    let durations: [Int64]
    /// Watts by batch.
    let watts: [Double]

    init(profile: Profile, largest: Int, timeFactor: Double, powerFactor: Double) {
        var durations: [Int64] = []
        var watts: [Double] = []
        durations.reserveCapacity(largest + 1)
        watts.reserveCapacity(largest + 1)
        for batch in 0...max(1, largest) {
            let bucket = profile.decodeBuckets.first { $0 >= batch } ?? batch
            let point = Self.point(profile.knots, at: Double(max(1, bucket)))
            durations.append(wholeNanoseconds(point.seconds * timeFactor * 1e9))
            watts.append(point.watts * powerFactor)
        }
        self.durations = durations
        self.watts = watts
    }

    static func point(
        _ knots: [Profile.Knot], at batch: Double
    ) -> (seconds: Double, watts: Double) {
        guard let first = knots.first, let last = knots.last else { return (0.01, 0) }
        if batch <= first.batch || knots.count == 1 {
            return (first.iterationTime.seconds, first.power.value)
        }
        let above = knots.firstIndex { $0.batch >= batch } ?? knots.count - 1
        let low = knots[above - 1]
        let high = knots[above]
        let place =
            Mathematics.log(batch / low.batch) / Mathematics.log(high.batch / low.batch)
        let seconds = geometric(
            low.iterationTime.seconds, high.iterationTime.seconds, at: place)
        let watts =
            batch >= last.batch
            ? last.power.value : geometric(low.power.value, high.power.value, at: place)
        return (seconds, watts)
    }

    /// a at place 0, b at 1, straight in log scale; linear if one of them is not positive.
    private static func geometric(_ a: Double, _ b: Double, at place: Double) -> Double {
        guard a > 0, b > 0 else { return a + (b - a) * place }
        return a * Mathematics.exp(Mathematics.log(b / a) * place)
    }
}

/// To the nearest nanosecond, at least 1, so that time always moves.
func wholeNanoseconds(_ value: Double) -> Int64 {
    guard value > 1 else { return 1 }
    return value < 9e18 ? Int64(value.rounded()) : .max
}
