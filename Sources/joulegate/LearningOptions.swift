import ArgumentParser
import InferenceTypes
import Simulation

/// What is believed of the simulated fleet, how it is metered, and whether that teaches anything.
struct LearningOptions: ParsableArguments {
    @Flag(help: "Learn from the meters and from the streams.")
    var learn = false

    @Option(help: "Seconds between two readings of an endpoint's meter.")
    var meterSeconds = 5.0

    @Option(help: "Relative standard deviation of a meter window.")
    var meterNoise = 0.0

    @Option(help: "Share of meter readings that get lost, 0 to 1.")
    var meterLoss = 0.0

    @Option(help: "TIME:POWER:IDLE, factors by which the profiles are wrong; the truth stays.")
    var belief: BeliefArgument?

    @Option(help: "The truth of every endpoint is off its profile by up to this share, by seed.")
    var perturb = 0.0

    func validate() throws {
        guard meterSeconds >= 0.2, meterSeconds < 1e6, (0..<1).contains(meterNoise),
            (0..<1).contains(meterLoss), (0..<0.9).contains(perturb)
        else {
            throw ValidationError("--meter-seconds is 0.2 or more, shares are 0 to 1")
        }
    }

    var metering: SimulatedMetering {
        var metering = SimulatedMetering()
        metering.interval = TimeSpan(seconds: meterSeconds)
        metering.noise = meterNoise
        metering.lost = meterLoss
        metering.learns = learn
        return metering
    }

    func fleet(_ pools: SimulatedFleet, seed: UInt64) -> SimulatedFleet {
        var fleet = pools
        if let belief {
            fleet = fleet.believed(time: belief.time, power: belief.power, idle: belief.idle)
        }
        guard perturb > 0 else { return fleet }
        var random = RandomSource(seed: seed &+ 0x7075_7274)
        return fleet.perturbed(by: perturb, random: &random)
    }
}

/// `1.5:0.5:2`
struct BeliefArgument: ExpressibleByArgument {
    var time: Double
    var power: Double
    var idle: Double

    init?(argument: String) {
        let parts = argument.split(separator: ":").compactMap { Double($0) }
        guard parts.count == 3, parts.allSatisfy({ (0.05...20).contains($0) }) else { return nil }
        (time, power, idle) = (parts[0], parts[1], parts[2])
    }
}
