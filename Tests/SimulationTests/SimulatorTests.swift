import InferenceTypes
import Testing

@testable import Simulation

struct SimulatorTests {
    private func run(
        _ workload: Workload, _ director: Director, endpoints: Int = 4, seed: UInt64 = 1
    ) -> RunRecord {
        Simulator(
            workload: workload, fleet: TestProfile.fleet(endpoints), director: director, seed: seed
        ).run(until: .zero + .seconds(130))
    }

    @Test func everyRequestEndsWithAllItsTokens() {
        let workload = TestProfile.workload(rate: 6, seconds: 120, seed: 1)
        for policy in RoutingPolicy.allCases {
            let record = run(workload, Director(name: "", policy: policy))
            #expect(record.outcomes.count == workload.arrivals.count)
            #expect(record.finished.count == workload.arrivals.count)
            for outcome in record.outcomes {
                guard let first = outcome.firstTokenAt, let end = outcome.finishedAt else {
                    Issue.record("no end")
                    continue
                }
                #expect(outcome.arrivedAt < first && first <= end)
            }
        }
    }

    @Test func theSameSeedGivesTheSameRun() {
        let workload = TestProfile.workload(rate: 6, seconds: 60, seed: 2)
        let director = Director(name: "", policy: .energyAware)
        let one = run(workload, director)
        let other = run(workload, director)
        #expect(one.outcomes == other.outcomes && one.energy == other.energy)
    }

    @Test func anIdleFleetDrawsItsIdlePower() {
        let record = run(Workload(), Director(name: "", policy: .energyAware))
        #expect((record.energy.total.value - 4 * 100 * 130).magnitude < 1e-6)
        #expect(record.energyAboveIdle.value.magnitude < 1e-6)
    }

    /// One request alone, by hand: 800 tokens of prefill take 40 ms at 600 W, the first token comes
    /// with them; 99 more steps of 10 ms at 400 W.
    @Test func oneRequestCostsWhatTheProfileSays() throws {
        var workload = Workload()
        workload.add(
            .init(name: "chat"),
            rows: [TraceRow(arrival: .zero, inputTokens: 800, outputTokens: 100)],
            length: .seconds(1))
        let record = run(workload, Director(name: "", policy: .energyAware), endpoints: 1)
        let above = 0.04 * 500 + 0.99 * 300
        #expect((record.energyAboveIdle.value - above).magnitude < 0.01)
        let outcome = try #require(record.outcomes.first)
        #expect((try #require(outcome.timeToFirstToken).seconds - 0.04).magnitude < 1e-6)
        #expect((try #require(outcome.interTokenLatency).seconds - 0.01).magnitude < 1e-6)
    }

    @Test func packingKeepsThePromisesForLessThanSpreading() {
        for seed in 1...3 {
            let workload = TestProfile.workload(rate: 6, seconds: 120, seed: UInt64(seed))
            let spread = run(workload, Director(name: "", policy: .leastRequests))
            let packed = run(workload, Director(name: "", policy: .energyAware))
            #expect(packed.attainment(workload.services) >= 0.99)
            #expect(packed.energyAboveIdle.value < 0.7 * spread.energyAboveIdle.value)
        }
    }

    @Test func closedEndpointsStayIdle() {
        let workload = TestProfile.workload(rate: 3, seconds: 60, seed: 3)
        let record = run(workload, .staticSubset([2], of: TestProfile.fleet(4)))
        #expect(record.policy == "static 2 gpu")
        #expect(record.energyByEndpoint[2...].allSatisfy { ($0.value - 13_000).magnitude < 1e-6 })
        #expect(record.energyByEndpoint[..<2].allSatisfy { $0.value > 14_000 })
        #expect(record.finished.count == workload.arrivals.count)
    }

    @Test func requestsBeyondTheFleetAreTurnedAwayAndCountAsMissed() {
        let workload = TestProfile.workload(rate: 200, seconds: 60, seed: 4)
        let record = run(workload, Director(name: "", policy: .energyAware), endpoints: 1)
        #expect(record.finished.count < record.outcomes.count)
        let missed = record.outcomes.filter { $0.finishedAt == nil }
        #expect(missed.allSatisfy { !$0.met(.simulated) })
    }

    @Test func percentilesAreNearestRanks() {
        let samples = [3, 1, 2, 4].map { TimeSpan.seconds($0) }
        #expect(percentile(0.5, of: samples) == .seconds(2))
        #expect(percentile(0.99, of: samples) == .seconds(4))
        #expect(percentile(0.5, of: [TimeSpan]()) == nil)
    }
}
