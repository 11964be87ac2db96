import InferenceTypes
import Testing

@testable import Simulation

/// The scheduler learns what an emulated fleet draws, from meters as they are.
struct LearningTests {
    private static let metering: SimulatedMetering = {
        var metering = SimulatedMetering()
        metering.interval = .seconds(30)
        metering.noise = 0.02
        metering.lost = 0.1
        metering.learns = true
        return metering
    }()

    /// Fifteen minutes of chat, ten of silence, fifteen of chat.
    private static func workload(seed: UInt64) -> Workload {
        let first = TestProfile.workload(rate: 4, seconds: 900, seed: seed)
        let second = TestProfile.workload(rate: 2.5, seconds: 900, seed: seed + 100)
        func rows(_ workload: Workload, after start: Double) -> [TraceRow] {
            workload.arrivals.map {
                TraceRow(
                    arrival: TimeSpan(seconds: $0.at.seconds + start),
                    inputTokens: $0.inputTokens, outputTokens: $0.outputTokens)
            }
        }
        var workload = Workload()
        workload.add(
            .init(name: "chat"), rows: rows(first, after: 0) + rows(second, after: 1_500),
            length: .seconds(2_400))
        return workload
    }

    private func run(
        _ fleet: SimulatedFleet, _ workload: Workload, seed: UInt64 = 1,
        metering: SimulatedMetering = metering, policy: RoutingPolicy = .energyAware
    ) -> RunRecord {
        Simulator(
            workload: workload, fleet: fleet, director: Director(name: "", policy: policy),
            seed: seed, metering: metering
        ).run(until: .zero + .seconds(2_410))
    }

    /// Beliefs off by two either way in step times, power and idle power; readings every 30 s, a
    /// tenth of them lost, noise of 2 %, ten idle minutes: 3 % after ten minutes of load.
    @Test(arguments: [
        (1.0, 0.5, 2.0), (1, 2, 0.5), (2, 1, 1), (0.5, 1, 1), (2, 2, 2), (0.5, 0.5, 0.5),
        (0.5, 2, 1), (2, 0.5, 0.5),
    ])
    func wrongProfilesAreCorrectedByMeters(time: Double, power: Double, idle: Double) throws {
        let fleet = TestProfile.fleet(1).believed(time: time, power: power, idle: idle)
        let record = run(fleet, Self.workload(seed: 1))
        let error = try #require(record.powerError(from: .zero + .seconds(600)))
        print("belief x\(time) x\(power) x\(idle): power error", error)
        #expect(error <= 0.03)
    }

    @Test func withoutLearningTheyStayWrong() throws {
        let fleet = TestProfile.fleet(1).believed(time: 1, power: 2, idle: 2)
        var metering = Self.metering
        metering.learns = false
        let record = run(fleet, Self.workload(seed: 1), metering: metering)
        #expect(try #require(record.powerError(from: .zero + .seconds(600))) > 0.5)
    }

    @Test func learningWhatWasKnownHarmsNothing() {
        let fleet = TestProfile.fleet(3)
        let workload = TestProfile.workload(rate: 6, seconds: 600, seed: 3)
        var fixed = Self.metering
        fixed.learns = false
        let plain = run(fleet, workload, metering: fixed)
        let learned = run(fleet, workload)
        #expect((learned.energy.total.value / plain.energy.total.value - 1).magnitude < 0.01)
        let kept = [plain, learned].map { $0.attainment(workload.services) }
        #expect(kept[1] >= kept[0] - 0.002)
    }

    /// Every endpoint's truth is its own, off by up to 30 %: nothing else does it for less and
    /// keeps as many promises.
    @Test(arguments: [1, 2])
    func noBaselineIsBetterUnderPerturbedPhysics(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let pools = TestProfile.fleet(4)
        let fleet = pools.perturbed(by: 0.3, random: &random)
        let workload = TestProfile.workload(rate: 6, seconds: 900, seed: seed)
        let own = run(fleet, workload, seed: seed)
        let kept = own.attainment(workload.services)
        for policy in RoutingPolicy.allCases where policy != .energyAware {
            let other = run(fleet, workload, seed: seed, policy: policy)
            guard other.attainment(workload.services) >= kept - 0.002 else { continue }
            #expect(other.energy.total.value >= own.energy.total.value)
        }
    }

    @Test func truthsDifferAsFarAsAskedForAndNoFurther() {
        var random = RandomSource(seed: 4)
        let fleet = TestProfile.fleet(5).perturbed(by: 0.3, random: &random)
        #expect(fleet.endpointCount == 5 && fleet.pools.count == 5)
        for pool in fleet.pools {
            #expect(pool.profile == TestProfile.gpu)
            #expect(pool.truth != TestProfile.gpu)
            for (one, other) in zip(pool.truth.knots, TestProfile.gpu.knots) {
                let ratio = one.iterationTime.seconds / other.iterationTime.seconds
                #expect((0.7...1.3).contains(ratio))
            }
        }
    }
}
