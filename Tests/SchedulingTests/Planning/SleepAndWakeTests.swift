import InferenceTypes
import Testing

@testable import Scheduling

/// Three H100s that can sleep.
struct SleepAndWakeTests {
    private func bench(policy: RoutingPolicy = .energyAware) -> Bench {
        var configuration = Fleet.equal(3, policy: policy)
        for index in configuration.endpoints.indices {
            configuration.endpoints[index].canSleep = true
        }
        return Bench(configuration)
    }

    private func plan(_ awake: Bool...) -> Scheduler.Event { .planned(Plan(awake: awake)) }

    private func id(_ index: Int) -> EndpointID { EndpointID(index) }

    @Test func anEndpointWithoutWorkIsToldToSleepAtOnce() {
        var bench = bench()
        let actions = bench.send(plan(true, true, false))
        #expect(actions.contains(.sleep(id(2))))
        #expect(!actions.contains(.sleep(id(0))) && !actions.contains(.sleep(id(1))))
        #expect(bench.condition(2) == .asleep)
        let again = bench.send(plan(true, true, false), after: .seconds(2))
        #expect(again.isEmpty)
    }

    @Test func anEndpointWithWorkFinishesItFirst() {
        var bench = bench(policy: .roundRobin)
        #expect(bench.arrive(chat(1))?.endpoint == 0)
        #expect(bench.send(plan(false, true, true)).contains(.sleep(id(0))) == false)
        #expect(bench.condition(0) == .retiring)
        for number in 2...5 {
            let endpoint = bench.arrive(chat(UInt64(number)))?.endpoint
            #expect(endpoint == 1 || endpoint == 2)
        }
        #expect(bench.complete(1, output: 10).contains(.sleep(id(0))))
        #expect(bench.broken.isEmpty)
    }

    @Test func sleepersGetNothingUntilTheyAreAwake() {
        var bench = bench(policy: .leastRequests)
        bench.send(plan(true, false, false))
        bench.send(.powerStateChanged(id(1), .asleep))
        bench.send(.powerStateChanged(id(2), .asleep))
        for number in 1...20 { #expect(bench.arrive(chat(UInt64(number)))?.endpoint == 0) }
        #expect(bench.send(plan(true, true, false)) .contains(.wake(id(1))))
        #expect(bench.condition(1) == .waking)
        #expect(bench.arrive(chat(30))?.endpoint == 0)
        bench.send(.powerStateChanged(id(1), .awake), after: .seconds(30))
        #expect(bench.condition(1) == .active)
        #expect(bench.arrive(chat(31))?.endpoint == 1)
        #expect(bench.broken.isEmpty)
    }

    @Test func anEndpointOnItsWayToSleepIsTakenBackWithoutWaking() {
        var bench = bench(policy: .roundRobin)
        bench.arrive(chat(1))
        bench.send(plan(false, true, true))
        let actions = bench.send(plan(true, true, true))
        #expect(!actions.contains(.wake(id(0))))
        #expect(bench.condition(0) == .active)
    }

    @Test func oneWantedAgainWhileItFallsAsleepIsWokenOnceItSleeps() {
        var bench = bench()
        #expect(bench.send(plan(true, true, false)).contains(.sleep(id(2))))
        #expect(!bench.send(plan(true, true, true)).contains(.wake(id(2))))
        #expect(bench.send(.powerStateChanged(id(2), .asleep)).contains(.wake(id(2))))
    }

    @Test func oneSummonedWhileItFallsAsleepIsWokenWhateverThePlanSaysMeanwhile() {
        var bench = bench()
        bench.send(plan(false, false, false))
        #expect(bench.arrive(chat(1))?.isQueue == true)
        bench.send(plan(false, false, false), after: .seconds(1))
        let woken = (0..<3).filter { index in
            bench.send(.powerStateChanged(id(index), .asleep)).contains(.wake(id(index)))
        }
        #expect(woken.count == 1)
    }

    @Test func onlyThePlanWantedItSoOnlyThePlanKeepsItWanted() {
        var bench = bench()
        bench.send(plan(true, true, false))
        bench.send(plan(true, true, true))
        bench.send(plan(true, true, false))
        #expect(!bench.send(.powerStateChanged(id(2), .asleep)).contains(.wake(id(2))))
    }

    /// Late everywhere awake: the sleeper is woken before the request waits for the NPU's pace.
    @Test func pacingOnAnNPUDoesNotDelayTheWakingOfAnother() {
        var configuration = Fleet.unlike()
        configuration.policy = .energyAware
        for index in configuration.endpoints.indices {
            configuration.endpoints[index].canSleep = true
        }
        var bench = Bench(configuration)
        let npu = configuration.endpoints.firstIndex { $0.profile.name == Profiles.npu.name } ?? 0
        let others = configuration.endpoints.indices.map { $0 == npu }
        bench.send(.planned(Plan(awake: others)))
        for index in others.indices where index != npu {
            bench.send(.powerStateChanged(id(index), .asleep))
        }
        let promise = LatencyObjective(
            timeToFirstToken: .seconds(10), interTokenLatency: .milliseconds(60))
        for number in UInt64(1)...4 {
            bench.arrive(chat(number, .interactive, objective: promise))
            bench.send(.firstToken(RequestID(number)))
        }
        #expect(bench.all.allSatisfy { if case .wake = $0 { false } else { true } })
        bench.arrive(chat(9, .interactive, bytes: 60_000, objective: promise))
        #expect(bench.all.contains { if case .wake = $0 { true } else { false } })
        #expect(bench.broken.isEmpty)
    }

    @Test func anEndpointThatWouldNotSleepServesAndIsAskedAgainByTheNextPlan() {
        var bench = bench()
        bench.send(plan(true, true, false))
        let refused = bench.send(.powerStateChanged(id(2), .awake))
        #expect(!refused.contains(.sleep(id(2))))
        #expect(bench.condition(2) == .active)
        #expect(bench.send(plan(true, true, false)).contains(.sleep(id(2))))
    }

    @Test func aRequestThatNobodyAwakeCanServeInTimeHasOneWokenAndOnlyOne() {
        var bench = bench()
        bench.send(plan(true, false, false))
        bench.send(.powerStateChanged(id(1), .asleep))
        bench.send(.powerStateChanged(id(2), .asleep))
        for number in 1...150 { bench.arrive(chat(UInt64(number), .interactive, bytes: 16_000)) }
        let wakes = bench.all.filter { $0 == .wake(id(1)) || $0 == .wake(id(2)) }
        #expect(wakes == [.wake(id(1))])
        #expect(bench.broken.isEmpty)
    }

    @Test func oneThatIsRetiringIsTakenBackBeforeAnyIsWoken() {
        var bench = bench()
        bench.arrive(chat(1, .interactive))
        bench.send(plan(false, true, false))
        bench.send(.powerStateChanged(id(2), .asleep))
        #expect(bench.condition(0) == .retiring)
        for number in 2...60 { bench.arrive(chat(UInt64(number), .interactive, bytes: 16_000)) }
        #expect(bench.condition(0) == .active)
        let taken = bench.all.compactMap(\.endpoint)
        #expect(taken.contains(1) && taken.filter { $0 == 0 }.count > 1)
    }

    @Test func withAllAsleepARequestWaitsForOneToWake() {
        var bench = bench()
        bench.send(plan(false, false, false))
        for index in 0..<3 { bench.send(.powerStateChanged(id(index), .asleep)) }
        #expect(bench.arrive(chat(1))?.isQueue == true)
        #expect(bench.all.contains(.wake(id(0))))
        let actions = bench.send(.powerStateChanged(id(0), .awake), after: .seconds(20))
        #expect(actions.contains { $0.endpoint == 0 && $0.requestID == RequestID(1) })
    }

    /// Waking takes as long as a request usually may wait at most.
    @Test func whoWaitsForOneToWakeIsGivenTheTimeThatItTakes() {
        var bench = bench()
        bench.send(plan(false, false, false))
        for index in 0..<3 { bench.send(.powerStateChanged(id(index), .asleep)) }
        #expect(bench.arrive(chat(1))?.isQueue == true)
        #expect(!bench.send(.deadline, after: .seconds(40)).contains { $0.isReject })
        let actions = bench.send(.powerStateChanged(id(0), .awake))
        #expect(actions.contains { $0.endpoint == 0 && $0.requestID == RequestID(1) })
        #expect(bench.broken.isEmpty)
    }

    @Test func nobodyWaitsForEverForOneThatDoesNotWake() {
        var bench = bench()
        bench.send(plan(false, false, false))
        for index in 0..<3 { bench.send(.powerStateChanged(id(index), .asleep)) }
        #expect(bench.arrive(chat(1))?.isQueue == true)
        #expect(bench.send(.deadline, after: .seconds(46)).contains { $0.isReject })
        #expect(bench.broken.isEmpty)
    }

    @Test func withoutWakingOnDemandOnlyPlansWake() {
        var configuration = Fleet.equal(2)
        configuration.wakesOnDemand = false
        for index in 0..<2 { configuration.endpoints[index].canSleep = true }
        var bench = Bench(configuration)
        bench.send(plan(true, false))
        bench.send(.powerStateChanged(id(1), .asleep))
        for number in 1...150 { bench.arrive(chat(UInt64(number), .interactive, bytes: 16_000)) }
        #expect(!bench.all.contains(.wake(id(1))))
    }

    @Test func endpointsThatCannotSleepStayAwakeWhateverThePlan() {
        var bench = Bench(Fleet.equal(2))
        #expect(bench.send(plan(false, false)).isEmpty)
        #expect(bench.condition(0) == .active && bench.condition(1) == .active)
    }

    @Test func wakingCostsItsEnergyAndTheIdlePowerOfAWhile() {
        let cost = SleepCost(Profiles.h100)
        #expect(near(cost.wakeEnergy(hold: .seconds(60)).value, 3_600 + 96 * 60))
        #expect(near(cost.breakEven?.seconds ?? 0, 3_600 / 96))
        #expect(SleepCost(Profiles.atom).breakEven != nil)
    }
}
