import InferenceTypes

/// Truths that differ from what is believed.
extension SimulatedFleet {
    /// Every endpoint with a truth of its own: step times, power above idle and prefill off by up
    /// to `most` either way, another factor at small and at large batches, straight between them
    /// in the logarithm; idle power off by one factor.
    public func perturbed(by most: Double, random: inout RandomSource) -> SimulatedFleet {
        var result: [Pool] = []
        for pool in pools {
            for number in 0..<pool.count {
                var one = pool
                one.count = 1
                one.name = "\(pool.name)-\(number)"
                one.truth = Self.perturb(pool.truth, by: most, random: &random)
                result.append(one)
            }
        }
        return SimulatedFleet(pools: result)
    }

    /// Beliefs off by factors, the same for all; the truth stays.
    public func believed(time: Double, power: Double, idle: Double) -> SimulatedFleet {
        SimulatedFleet(
            pools: pools.map { pool in
                var pool = pool
                pool.profile = Self.scaled(
                    pool.profile, time: { _ in time }, power: { _ in power }, idle: idle,
                    prefillTime: time, prefillPower: power)
                return pool
            })
    }

    private static func perturb(
        _ profile: Profile, by most: Double, random: inout RandomSource
    ) -> Profile {
        let size = min(max(most, 0), 0.9)
        func factor() -> Double { 1 + size * (2 * random.nextUnit() - 1) }
        func line() -> (Double) -> Double {
            let (low, high) = (factor(), factor())
            let span = Mathematics.log(Double(max(profile.maxBatch, 2)))
            return { low + (high - low) * Mathematics.log(max($0, 1)) / span }
        }
        let (time, power) = (line(), line())
        return scaled(
            profile, time: time, power: power, idle: factor(), prefillTime: factor(),
            prefillPower: factor())
    }

    /// Powers are those above idle.
    private static func scaled(
        _ profile: Profile, time: (Double) -> Double, power: (Double) -> Double, idle: Double,
        prefillTime: Double, prefillPower: Double
    ) -> Profile {
        var scaled = profile
        let before = profile.idlePower.value
        let after = before * idle
        scaled.idlePower = Watts(after)
        scaled.prefillTokensPerSecond = profile.prefillTokensPerSecond / max(prefillTime, 0.01)
        scaled.prefillPower = Watts(after + (profile.prefillPower.value - before) * prefillPower)
        scaled.knots = profile.knots.map { knot in
            var knot = knot
            knot.iterationTime = TimeSpan(seconds: knot.iterationTime.seconds * time(knot.batch))
            knot.power = Watts(after + (knot.power.value - before) * power(knot.batch))
            return knot
        }
        return scaled
    }
}
