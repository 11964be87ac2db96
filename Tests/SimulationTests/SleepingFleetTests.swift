import EmulatedEngine
import InferenceTypes
import Scheduling
import Testing

@testable import Simulation

/// Endpoints idle at 100 W and 10 W asleep; waking takes 30 s and 3 kJ.
struct SleepingFleetTests {
    private func run(_ workload: Workload, _ director: Director, endpoints: Int = 4) -> RunRecord {
        Simulator(
            workload: workload, fleet: TestProfile.fleet(endpoints), director: director, seed: 1
        ).run(until: workload.horizon)
    }

    private func tides(seconds: Double, crowd: Tides.Crowd? = nil, seed: UInt64 = 1) -> Workload {
        var random = RandomSource(seed: seed)
        let rows = TestProfile.workload(rate: 5, seconds: 300, seed: seed).arrivals.map {
            TraceRow(
                arrival: $0.at - .zero, inputTokens: $0.inputTokens, outputTokens: $0.outputTokens)
        }
        var workload = Workload()
        workload.add(
            .init(name: "chat"), rows: rows,
            tides: Tides(period: TimeSpan(seconds: seconds), crowd: crowd), rate: 40,
            length: TimeSpan(seconds: seconds), random: &random)
        return workload
    }

    @Test func theTideIsLowAtItsEndsAndHighInTheMiddle() {
        let workload = tides(seconds: 1_200)
        func rate(_ from: Double, _ to: Double) -> Double {
            Double(workload.arrivals.count { (from..<to).contains($0.at.seconds) }) / (to - from)
        }
        #expect((rate(0, 60) - 4).magnitude < 1.5)
        #expect((rate(570, 630) - 36).magnitude < 4)
        #expect((rate(270, 330) - 20).magnitude < 3)
        #expect((rate(1_140, 1_200) - 4).magnitude < 1.5)
        #expect(zip(workload.arrivals, workload.arrivals.dropFirst()).allSatisfy { $0.at <= $1.at })
    }

    @Test func aCrowdComesAndGoesInTenSeconds() {
        let crowd = Tides.Crowd(
            start: .seconds(100), factor: 3, rise: .seconds(10), length: .seconds(120))
        #expect(crowd.multiple(at: 99) == 1)
        #expect((crowd.multiple(at: 105) - 2).magnitude < 1e-9)
        #expect(crowd.multiple(at: 110) == 3 && crowd.multiple(at: 209) == 3)
        #expect((crowd.multiple(at: 215) - 2).magnitude < 1e-9)
        #expect(crowd.multiple(at: 221) == 1)
        let plain = tides(seconds: 1_200)
        let crowded = tides(seconds: 1_200, crowd: crowd)
        let window = 110.0..<210.0
        let ratio =
            Double(crowded.arrivals.count { window.contains($0.at.seconds) })
            / Double(plain.arrivals.count { window.contains($0.at.seconds) })
        #expect((ratio - 3).magnitude < 0.5)
    }

    @Test func theSameSeedGivesTheSameTide() {
        #expect(tides(seconds: 300).arrivals == tides(seconds: 300).arrivals)
        #expect(tides(seconds: 300).arrivals != tides(seconds: 300, seed: 2).arrivals)
    }

    @Test func withAPlannerTheTideCostsLessAndKeepsItsPromises() {
        let workload = tides(seconds: 1_200)
        let always = run(workload, Director(name: "", policy: .energyAware))
        let planned = run(workload, .planned())
        #expect(planned.attainment(workload.services) >= 0.99)
        #expect(planned.energy.total.value < 0.97 * always.energy.total.value)
        #expect(planned.energy.sleep > .zero && planned.energy.wake > .zero)
        #expect(planned.wakeUps > 0 && planned.wakeUps < 20)
        #expect(planned.finished.count == workload.arrivals.count)
        let again = run(workload, .planned())
        #expect(again.outcomes == planned.outcomes && again.energy == planned.energy)
    }

    @Test func anAutoscalerFollowsTheTideToo() {
        let workload = tides(seconds: 1_200)
        let spread = run(workload, Director(name: "", policy: .leastRequests))
        let scaled = run(
            workload, .autoscaled(ReactiveAutoscaler(target: 24, coolDown: .seconds(60))))
        #expect(scaled.policy == "autoscaler 24, 60 s")
        #expect(scaled.energy.total.value < spread.energy.total.value)
        #expect(scaled.wakeUps > 0)
        #expect(scaled.finished.count == workload.arrivals.count)
    }

    @Test func anIdleFleetSleepsButForOne() {
        var workload = Workload()
        workload.add(
            .init(name: "chat"),
            rows: [TraceRow(arrival: .seconds(600), inputTokens: 100, outputTokens: 10)],
            length: .seconds(1_000))
        let record = run(workload, .planned())
        let floor = 4 * 100 * record.length.seconds
        #expect(record.energy.total.value < 0.45 * floor)
        #expect(record.energyByEndpoint.count { $0.value > 0.9 * floor / 4 } == 1)
    }

    @Test func aThresholdPartsShortPromptsFromLongOnes() {
        var fleet = TestProfile.fleet(2)
        fleet.pools.append(
            .init(name: "npu", engine: .vllmRBLN, profile: TestProfile.gpu, count: 2))
        let workload = TestProfile.workload(rate: 4, seconds: 60, seed: 1)
        var director = Director(name: "", policy: .leastRequests)
        director.lengthThreshold = 500
        let record = Simulator(workload: workload, fleet: fleet, director: director, seed: 1)
            .run(until: workload.horizon)
        for outcome in record.outcomes {
            let isNPU = (outcome.endpoint ?? -1) >= 2
            #expect(isNPU == (outcome.inputTokens <= 500))
        }
    }

    @Test func aPoolWinsHalfOfTheWorkOnceItIsAsEfficientAsTheOther() {
        var fleet = TestProfile.fleet(2)
        fleet.pools.append(
            .init(name: "other", engine: .vllm, profile: TestProfile.gpu, count: 2))
        let workload = TestProfile.workload(rate: 6, seconds: 120, seed: 1)
        let point = BreakEven.find(pool: 1, of: fleet, workload: workload, seed: 1)
        #expect((0.9...1.4).contains(point.efficiency))
        #expect(point.share >= 0.5)
        #expect(point.poolEnergyPerToken > 0)
    }
}
