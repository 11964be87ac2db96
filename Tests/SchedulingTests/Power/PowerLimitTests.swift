import InferenceTypes
import Testing

@testable import Scheduling

/// H100: 120 W idle, 406 W with one sequence, 640 W while prefilling.
@Suite struct PowerLimitTests {
    private func fleet(
        _ count: Int, site: Double? = nil, policy: RoutingPolicy = .leastRequests
    ) -> Configuration {
        var configuration = Fleet.equal(count, policy: policy)
        configuration.powerLimits = PowerLimits(site: site.map { Watts($0) })
        return configuration
    }

    @Test(arguments: RoutingPolicy.allCases) func noPolicyOpensWhatTheLimitForbids(
        policy: RoutingPolicy
    ) {
        // Two idle and one running endpoint: 240 + 406 W and what prompts add.
        var bench = Bench(fleet(3, site: 800, policy: policy))
        var used: Set<Int> = []
        for id in 1...20 {
            bench.now = bench.now + .seconds(2)
            if let endpoint = bench.arrive(chat(UInt64(id), output: 50))?.endpoint {
                used.insert(endpoint)
            }
        }
        #expect(used.count == 1)
        #expect(bench.broken == [])
    }

    @Test func whoWaitsForPowerGoesWhenSomebodyEnds() {
        var bench = Bench(fleet(1, site: 130))
        let refused = bench.arrive(chat(1))
        #expect(refused?.isQueue == true)
        let late = bench.send(.deadline, after: .seconds(31))
        #expect(late.first?.rejection?.reason == .powerBudget)
        #expect(RejectionReason.powerBudget.rawValue == "rejected-power-budget")
        let raised = bench.arrive(chat(2))
        #expect(raised?.isQueue == true)
        let actions = bench.send(.setPowerLimits(PowerLimits(site: Watts(700))))
        #expect(actions.last?.endpoint == 0)
        let lifted = bench.send(.setPowerLimits(.none))
        #expect(lifted.isEmpty && bench.broken == [])
        let power = bench.scheduler.snapshot(at: bench.now).power
        #expect(power == nil)
    }

    @Test func bulkWaitsWhileOthersStillGo() {
        // Two endpoints, 240 W idle. One sequence with its prompt: 120 + 408 W; bulk may go up to
        // 240 + 0.95 x 300 = 525 W.
        var bench = Bench(fleet(2, site: 540))
        let bulk = bench.arrive(chat(1, .bulk, bytes: 400, output: 10))
        #expect(bulk?.isQueue == true)
        let interactive = bench.arrive(chat(2, .interactive, bytes: 400, output: 10))
        #expect(interactive?.endpoint == 0)
    }

    @Test func aLoweredLimitHoldsTheSmallestBatchAndLetsItDrain() {
        var bench = Bench(fleet(3))
        // Joining the shortest queue would even it out: 12, 12 and 4 by hand.
        for id in 0..<28 {
            let index = id < 24 ? id % 2 : 2
            for other in 0..<3 where other != index {
                bench.send(.setEndpointState(EndpointID(other), .draining))
            }
            bench.arrive(chat(UInt64(id), bytes: 40, output: 400))
            for other in 0..<3 { bench.send(.setEndpointState(EndpointID(other), .active)) }
            bench.send(.firstToken(RequestID(UInt64(id))), after: .milliseconds(200))
        }
        bench.now = bench.now + .seconds(20)
        bench.send(.setPowerLimits(PowerLimits(site: Watts(1_250))))
        #expect((0..<3).map { bench.endpoint($0).isHeld } == [false, false, true])
        bench.send(.deadline, after: .milliseconds(150))
        // A place that becomes free on another one is taken again, although the sum is too high.
        _ = bench.complete(0)
        let next = bench.arrive(chat(100, bytes: 40, output: 400))
        #expect(next?.endpoint == 0)
        for id in 24..<28 { _ = bench.complete(UInt64(id)) }
        bench.send(.deadline, after: .milliseconds(150))
        #expect(!bench.endpoint(2).isHeld)
        #expect(bench.broken == [])
    }

    @Test func aRaisedLimitLetsGoOfWhoeverWasHeld() {
        var bench = Bench(fleet(2))
        for id in 0..<2 { bench.arrive(chat(UInt64(id), bytes: 40, output: 400)) }
        bench.now = bench.now + .seconds(20)
        bench.send(.setPowerLimits(PowerLimits(site: Watts(600))))
        #expect((0..<2).contains { bench.endpoint($0).isHeld })
        bench.send(.setPowerLimits(PowerLimits(site: Watts(100_000))))
        #expect(!(0..<2).contains { bench.endpoint($0).isHeld })
    }

    @Test func aFullQueueShedsTheLeastUrgent() {
        var configuration = Fleet.equal(1, maxInFlight: 1)
        configuration.limits.queuedRequests = 4
        var bench = Bench(configuration)
        bench.arrive(chat(1))
        for id in 2...3 { bench.arrive(chat(UInt64(id), .bulk)) }
        for id in 4...5 { bench.arrive(chat(UInt64(id), .default)) }
        let actions = bench.send(.arrived(chat(6, .interactive)))
        #expect(actions.map(\.requestID) == [RequestID(3), RequestID(6)])
        #expect(actions.first?.rejection?.reason == .saturated)
        #expect(actions.last?.isQueue == true)
        let bulk = bench.arrive(chat(7, .bulk))
        #expect(bulk?.rejection?.reason == .saturated)
        bench.arrive(chat(8, .interactive))
        let equal = bench.arrive(chat(9, .default))
        #expect(equal?.rejection?.reason == .saturated)
        #expect(bench.broken == [])
    }

    @Test func aLimitCostsNothingToThoseWhoHaveNone() {
        var bench = Bench(fleet(2))
        bench.arrive(chat(1))
        #expect(bench.scheduler.snapshot(at: bench.now).power == nil)
        _ = bench.complete(1)
        let deadline = bench.scheduler.nextDeadline()
        #expect(deadline == nil)
    }
}
