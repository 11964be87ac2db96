import InferenceTypes

@testable import EnergyModel

/// An endpoint of known truth whose load wanders, seen through a meter in windows.
struct SyntheticLoad {
    let truth: EndpointModel
    var random: RandomSource
    private var batch = 4.0

    init(_ truth: EndpointModel, seed: UInt64) {
        self.truth = truth
        random = RandomSource(seed: seed)
    }

    /// `most`: the largest batch of the wandering load; 0: idle and quiet.
    mutating func window(_ seconds: Double, most: Int) -> (EndpointActivity, joules: Double) {
        var activity = EndpointActivity(capacity: truth.curve.capacity)
        activity.span = TimeSpan(seconds: seconds)
        activity.isQuiet = most == 0
        var joules = truth.curve.idlePower.value * seconds
        guard most > 0 else {
            activity.idle = activity.span
            return (activity, joules)
        }
        let pieces = Int(seconds)
        for _ in 0..<pieces {
            batch *= Mathematics.exp(0.8 * (random.nextUnit() - 0.5))
            batch = min(max(batch, 0.5), Double(most))
            let whole = Int(batch.rounded())
            guard whole > 0 else { continue }
            let prefill = min(0.02 * Double(whole) * random.nextUnit(), 0.4)
            activity.prefillTokens += prefill * truth.prefillRate
            let iterations = (1 - prefill) / truth.curve.iterationTime(batch: whole).seconds
            activity.iterations[whole] += iterations
            activity.kvTokenSteps += iterations * Double(whole) * 1_000
        }
        let tokens = activity.prefillTokens
        joules += truth.prefillEnergyPerToken.value * tokens
        joules += truth.kvEnergyPerStep * activity.kvTokenSteps
        for (batch, iterations) in activity.iterations.enumerated() where iterations > 0 {
            joules += iterations * truth.curve.energyAboveIdle(batch: batch).value
        }
        return (activity, joules)
    }

    /// Uniform with this standard deviation around 1.
    mutating func noise(_ deviation: Double) -> Double {
        1 + deviation * 3.0.squareRoot() * (2 * random.nextUnit() - 1)
    }
}

extension Profile {
    /// Another belief: times, power above idle, idle power and prefill energy off by factors.
    func believed(
        time: Double = 1, power: Double = 1, idle: Double = 1, prefill: Double = 1
    ) -> Profile {
        var profile = self
        profile.provenance = .assumed
        profile.idlePower = Watts(idlePower.value * idle)
        profile.prefillPower = Watts(
            profile.idlePower.value + (prefillPower.value - idlePower.value) * prefill)
        profile.knots = knots.map { knot in
            var knot = knot
            knot.power = Watts(
                profile.idlePower.value + (knot.power.value - idlePower.value) * power)
            knot.iterationTime = TimeSpan(seconds: knot.iterationTime.seconds * time)
            knot.provenance = .assumed
            return knot
        }
        return profile
    }
}
