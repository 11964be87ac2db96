import EnergyModel
import InferenceTypes
import Testing

@testable import Scheduling

@Suite struct RoutingTests {
    private func endpoints(_ count: Int, of configuration: Configuration) -> [Int] {
        var bench = Bench(configuration)
        return (0..<count).map { bench.arrive(chat(UInt64($0)))?.endpoint ?? -1 }
    }

    @Test func roundRobinTakesTurns() {
        let placed = endpoints(7, of: Fleet.equal(3, policy: .roundRobin))
        #expect(placed == [0, 1, 2, 0, 1, 2, 0])
    }

    @Test func randomUsesAllAndFollowsItsSeed() {
        let placed = endpoints(60, of: Fleet.equal(4, policy: .random))
        #expect(Set(placed) == [0, 1, 2, 3])
        #expect(placed == endpoints(60, of: Fleet.equal(4, policy: .random)))
    }

    @Test(arguments: [RoutingPolicy.leastLoad, .powerOfTwo, .roundRobin, .leastLatency])
    func arrivalsOfOneInstantSeeEachOther(_ policy: RoutingPolicy) {
        let placed = endpoints(100, of: Fleet.equal(4, policy: policy))
        for endpoint in 0..<4 {
            let share = placed.count { $0 == endpoint }
            #expect(share <= 30)
        }
    }

    @Test func leastLoadFollowsWeightsAndForeignLoad() {
        var configuration = Fleet.equal(2)
        configuration.endpoints[1].weight = 3
        let weighted = endpoints(80, of: configuration)
        #expect(weighted.count { $0 == 1 } == 60)

        var bench = Bench(Fleet.equal(2))
        bench.send(.scraped(EndpointID(0), .init(running: 20, waiting: 0, at: bench.now)))
        let placed = (0..<8).map { bench.arrive(chat(UInt64($0)))?.endpoint }
        #expect(placed.allSatisfy { $0 == 1 })
    }

    @Test func leastLatencyPrefersTheFastOne() {
        var bench = Bench(Fleet.unlike(policy: .leastLatency))
        let first = bench.arrive(chat(1))?.placement
        #expect(first?.endpoint == EndpointID(0) && first?.reason == .leastLatency)
    }

    @Test func energyAwarePacksTheCheapestThenOpensTheNext() {
        var bench = Bench(Fleet.unlike())
        var placed: [Int] = []
        for id in 0..<70 {
            bench.send(.deadline, after: .milliseconds(200))
            placed.append(bench.arrive(chat(UInt64(id)))?.endpoint ?? -1)
        }
        // The step from 32 to 64 costs 1.69 J per iteration, another NPU's first sequence 1.63:
        // the second one is filled as far, and then the first one's bucket of 64.
        #expect(placed[..<32].allSatisfy { $0 == 2 })
        #expect(placed[32..<64].allSatisfy { $0 == 3 })
        #expect(placed[64...].allSatisfy { $0 == 2 })
        #expect(bench.all.allSatisfy { $0.placement?.reason == .leastEnergy })
        #expect(bench.broken == [])
    }

    @Test func energyAwareFillsBucketsForFree() {
        var bench = Bench(Fleet.equal(2, profile: Profiles.npu, engine: .vllmRBLN))
        bench.send(.setPolicy(.energyAware))
        var energies: [Double] = []
        for id in 0..<8 {
            let placement = bench.arrive(chat(UInt64(id)))?.placement
            #expect(placement?.endpoint == EndpointID(0))
            energies.append(placement?.estimate.marginalEnergy.value ?? 0)
        }
        let free = energies[2]
        #expect(energies.map { $0 > free + 1 } == [
            true, true, false, false, true, false, false, false,
        ])
    }

    @Test func energyAwareSpillsWhenTheGapWouldBreak() {
        let strict = LatencyObjective(
            timeToFirstToken: .seconds(2), interTokenLatency: .milliseconds(24))
        var bench = Bench(Fleet.strict())
        var placed: [Int] = []
        for id in 0..<20 {
            bench.send(.deadline, after: .seconds(1))
            placed.append(bench.arrive(chat(UInt64(id), objective: strict))?.endpoint ?? -1)
        }
        // 18 ms are left of 24: eight sequences on the NPU take 16.6 ms, sixteen 18.2.
        #expect(placed.prefix(8).allSatisfy { $0 == 2 })
        #expect(placed.suffix(12).allSatisfy { $0 != 2 })
        #expect(placed.contains(3) || placed.contains(0))
    }

    @Test func newcomersKeepThePromisesGivenToOthers() {
        let strict = LatencyObjective(interTokenLatency: .milliseconds(24))
        var bench = Bench(Fleet.strict())
        bench.arrive(chat(100, .bulk, objective: strict))
        var placed: [Int] = []
        for id in 0..<9 {
            bench.send(.deadline, after: .seconds(1))
            placed.append(bench.arrive(chat(UInt64(id), .bulk))?.endpoint ?? -1)
        }
        #expect(placed == [2, 2, 2, 2, 2, 2, 2, 3, 3])
    }

    @Test func energyAwareSpillsWhenTheFirstTokenWouldBeLate() {
        var bench = Bench(Fleet.strict())
        let placed = (0..<40).map {
            bench.arrive(chat(UInt64($0), .interactive, bytes: 8_000))?.endpoint ?? -1
        }
        // 0.6 s are left; 2 000 tokens are 0.22 s on the NPU and 0.09 s on the GPU.
        #expect(placed.count { $0 == 2 } < 8)
        #expect(placed.contains(0) && placed.contains(1))
    }

    @Test func energyAwareTakesTheLeastLateIfNoneIsInTime() {
        let impossible = LatencyObjective(timeToFirstToken: .milliseconds(1))
        var bench = Bench(Fleet.unlike())
        let placement = bench.arrive(chat(1, objective: impossible))?.placement
        #expect(placement?.reason == .leastLateness)
        #expect(placement?.endpoint == EndpointID(0))
    }

    @Test func energyAwareMovesWhenAnEndpointDies() {
        var bench = Bench(Fleet.unlike())
        let before = bench.arrive(chat(1))
        #expect(before?.endpoint == 2)
        for _ in 0..<3 { bench.send(.probed(EndpointID(2), healthy: false)) }
        let after = bench.arrive(chat(2))
        #expect(after?.endpoint == 3 && after?.placement?.candidates == 4)
    }

    @Test func classificationGoesToTheClassifier() {
        var configuration = Fleet.unlike()
        configuration.pools.append(Fleet.pool(.vllmRBLN, .npu))
        configuration.endpoints.append(
            Configuration.Endpoint(pool: PoolID(3), profile: Profiles.atom))
        var bench = Bench(configuration)
        var batch = chat(1, bytes: 6_400, choices: 64)
        batch.task = .classify
        let placement = bench.arrive(batch)?.placement
        #expect(placement?.endpoint == EndpointID(5) && placement?.outputTokens == 0)
        let energy = placement?.estimate.marginalEnergy.value ?? 0
        #expect((energy - 1.28).magnitude < 1e-3)
    }

    @Test func guardWorkedNumbers() {
        let guardBand = ObjectiveGuard()
        let promised = LatencyObjective(
            timeToFirstToken: .seconds(1), interTokenLatency: .milliseconds(60))
        func late(
            _ firstToken: Int64, _ gap: Int64, running: TimeSpan? = nil, stall: Int64 = 0
        ) -> Double {
            let estimate = Estimate(
                marginalEnergy: .zero, timeToFirstToken: .milliseconds(firstToken),
                interTokenLatency: .milliseconds(gap),
                runningInterTokenLatency: .milliseconds(gap), iterationTime: .milliseconds(13),
                prefillStall: .milliseconds(stall), duration: .zero, provenance: .modelled)
            return guardBand.lateness(
                of: estimate, promised: promised, toThoseRunning: running, outputTokens: 100,
                strictness: 1)
        }
        #expect(late(580, 45) == 0)
        #expect((late(700, 50) - 0.6).magnitude < 1e-9)
        #expect((late(580, 45, running: .milliseconds(40)) - 1.5).magnitude < 1e-9)
        #expect(late(580, 45, stall: 470) == 0)
        #expect((late(580, 45, stall: 500) - 0.03).magnitude < 1e-9)
    }
}
