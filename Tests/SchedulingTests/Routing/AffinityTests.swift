import EnergyModel
import InferenceTypes
import Testing

@testable import Scheduling

/// Prefix caches as a term of the scheduler's energy, and the policies that know nothing else.
@Suite struct AffinityTests {
    private func turn(_ id: UInt64, _ conversation: UInt64, bytes: Int = 16_000)
        -> InferenceRequest
    {
        var request = chat(id, bytes: bytes)
        request.prefix = prefix(
            conversation, [1_024, 2_048, 4_096, 8_192, 16_000, bytes], whole: bytes)
        request.session = conversation
        return request
    }

    /// Three equal GPUs; the conversation's first turn was on the last one.
    private func bench(_ policy: RoutingPolicy = .energyAware) -> Bench {
        bench(of: Fleet.equal(3, policy: policy))
    }

    private func bench(of configuration: Configuration) -> Bench {
        var bench = Bench(configuration)
        for index in 0..<2 { bench.send(.setEndpointState(EndpointID(index), .draining)) }
        #expect(bench.arrive(turn(0, 5))?.endpoint == 2)
        _ = bench.complete(0, input: 4_000, output: 10)
        for index in 0..<2 { bench.send(.setEndpointState(EndpointID(index), .active)) }
        return bench
    }

    @Test(arguments: [RoutingPolicy.energyAware, .cacheAware, .leastLatency])
    func aTurnGoesWhereTheOnesBeforeItWere(_ policy: RoutingPolicy) {
        var bench = bench(policy)
        let placement = bench.arrive(turn(1, 5, bytes: 17_000))?.placement
        #expect(placement?.endpoint.index == 2)
        #expect((placement?.cachedInputTokens ?? 0) > 3_000)
        _ = bench.complete(1)
        #expect(bench.arrive(turn(2, 6))?.endpoint == 0)
        #expect(bench.broken == [])
    }

    @Test func whatIsCachedCostsNoPrefill() throws {
        var bench = bench()
        let known = try #require(bench.arrive(turn(1, 5))?.placement)
        _ = bench.complete(1)
        let new = try #require(bench.arrive(turn(2, 6))?.placement)
        let model = bench.scheduler.model(of: EndpointID(2))
        let perToken = try #require(model?.prefillEnergyPerToken.value)
        let saved = perToken * Double(known.cachedInputTokens)
        let difference = new.estimate.marginalEnergy.value - known.estimate.marginalEnergy.value
        #expect(known.inputTokens == new.inputTokens && new.cachedInputTokens == 0)
        #expect(abs(difference - saved) < 1e-9 * saved)
        #expect(known.estimate.timeToFirstToken < new.estimate.timeToFirstToken)
    }

    @Test func theObjectiveGuardComesFirst() {
        var strict = Fleet.equal(3, policy: .energyAware)
        strict.patience.lenientShare = 0
        strict.patience.strictShare = 0
        var bench = bench(of: strict)
        // A second of other prompts stands before the holder's engine.
        for index in 0..<2 { bench.send(.setEndpointState(EndpointID(index), .draining)) }
        #expect(bench.arrive(chat(10, bytes: 160_000))?.endpoint == 2)
        for index in 0..<2 { bench.send(.setEndpointState(EndpointID(index), .active)) }
        var request = turn(1, 5)
        request.objective = LatencyObjective(timeToFirstToken: .seconds(1))
        #expect(bench.arrive(request)?.endpoint == 0)
        #expect(bench.broken == [])
    }

    enum Loss: CaseIterable { case sleep, probes, ejection }

    @Test(arguments: Loss.allCases)
    func anEndpointThatMayHaveRestartedHoldsNothing(_ loss: Loss) throws {
        var bench = bench(.cacheAware)
        let id = EndpointID(2)
        switch loss {
        case .sleep:
            bench.send(.powerStateChanged(id, .asleep))
            bench.send(.powerStateChanged(id, .awake))
        case .probes:
            for _ in 0..<5 { bench.send(.probed(id, healthy: false)) }
            for _ in 0..<5 { bench.send(.probed(id, healthy: true)) }
        case .ejection:
            for attempt in UInt64(20)..<23 {
                guard bench.arrive(turn(attempt, 5))?.endpoint == 2 else { break }
                _ = bench.fail(attempt, .connectFailed)
            }
            bench.send(.deadline, after: .seconds(10))
        }
        let placement = try #require(bench.arrive(turn(1, 5))?.placement)
        #expect(placement.cachedInputTokens == 0 || placement.endpoint != id)
        #expect(bench.broken == [])
    }

    @Test func anEndpointWhoseServerFindsNothingLosesItsPull() throws {
        var bench = bench()
        let before = try #require(bench.arrive(turn(1, 5))?.placement?.cachedInputTokens)
        for id in UInt64(1)..<40 {
            if id > 1 { bench.arrive(turn(id, 5)) }
            let usage = Usage(inputTokens: 4_000, outputTokens: 5, cachedInputTokens: 0)
            bench.send(
                .finished(RequestID(id), .init(outcome: .completed, usage: usage)),
                after: .seconds(1))
        }
        let after = try #require(bench.arrive(turn(50, 5))?.placement?.cachedInputTokens)
        #expect(after < before / 10)
    }

    /// The bench's third endpoint reports; so many tokens were asked for and found since its start.
    private func scrape(
        _ bench: inout Bench, _ prompt: Double, _ cached: Double, room: Double? = nil,
        kvUsage: Double? = nil
    ) {
        let report = Scheduler.CacheReport(
            promptTokens: prompt, cachedPromptTokens: cached, room: room)
        bench.send(
            .scraped(
                EndpointID(2),
                .init(running: 0, waiting: 0, kvUsage: kvUsage, cache: report, at: bench.now)))
    }

    @Test func countersCorrectBeliefsWhereAnswersSayNothing() {
        var bench = bench()
        scrape(&bench, 4_000, 0)
        let before = bench.scheduler.hitFactor(of: EndpointID(2), at: bench.now) ?? -1
        for id in UInt64(1)..<20 {
            #expect(bench.arrive(turn(id, 5))?.endpoint == 2)
            _ = bench.complete(id, input: 4_000, output: 5)
        }
        scrape(&bench, 4_000 + 19 * 4_000, 0)
        let after = bench.scheduler.hitFactor(of: EndpointID(2), at: bench.now) ?? -1
        #expect(before == 0.9 && after >= 0 && after < 0.2)
        #expect(bench.broken == [])
    }

    @Test func anEndpointWhoseCountersBeginAgainHoldsNothing() throws {
        var bench = bench(.cacheAware)
        scrape(&bench, 4_000, 0)
        scrape(&bench, 0, 0)
        let placement = try #require(bench.arrive(turn(1, 5))?.placement)
        #expect(placement.cachedInputTokens == 0)
    }

    @Test(arguments: [
        (0.0, 0.0, false), (100_000, 0.0, true), (100_000, 1, false), (.infinity, .nan, true),
    ])
    func theServersOwnRoomCounts(room: Double, kvUsage: Double, isHeld: Bool) throws {
        var bench = bench()
        scrape(&bench, 4_000, 0, room: room, kvUsage: kvUsage)
        let placement = try #require(bench.arrive(turn(1, 5))?.placement)
        #expect((placement.cachedInputTokens > 0) == isHeld)
        #expect(bench.broken == [])
    }

    @Test func theOperatorsRoomCountsMoreThanTheServers() throws {
        var configuration = Fleet.equal(3, policy: .energyAware)
        configuration.affinity.tokensPerEndpoint = 100_000
        var bench = bench(of: configuration)
        scrape(&bench, 4_000, 0, room: 0)
        #expect(try #require(bench.arrive(turn(1, 5))?.placement).cachedInputTokens > 0)
    }

    /// Hashes are all that the table goes by; `PromptHashTests` has them salted by tenant.
    @Test func promptsOfOtherHashesShareNothing() {
        var bench = bench()
        var other = turn(1, 5)
        other.prefix = prefix(6, [1_024, 2_048, 4_096, 8_192, 16_000], whole: 16_000)
        #expect(bench.arrive(other)?.placement?.cachedInputTokens == 0)
    }

    /// With affinity off no decision looks at prefixes, and without prefixes affinity changes none.
    @Test(arguments: RoutingPolicy.allCases)
    func switchedOffItDecidesAsBefore(_ policy: RoutingPolicy) {
        func play(isOn: Bool, hasPrefixes: Bool) -> [Action] {
            var configuration = Fleet.unlike(policy: policy)
            configuration.affinity.isOn = isOn
            configuration.shadowPolicy = .leastLatency
            var bench = Bench(configuration)
            var random = RandomSource(seed: 9)
            for id in UInt64(0)..<400 {
                let bytes = 2_000 + random.nextIndex(below: 20_000)
                var request = chat(id, bytes: bytes)
                if hasPrefixes {
                    request.prefix = prefix(id % 20, [1_024, 2_000], whole: bytes)
                }
                bench.send(.arrived(request), after: .milliseconds(20))
                if id >= 20 { _ = bench.complete(id - 20, input: bytes / 4, output: 60) }
            }
            #expect(bench.broken == [])
            return bench.all
        }
        let hashed = policy == .consistentHash
        #expect(play(isOn: false, hasPrefixes: !hashed) == play(isOn: true, hasPrefixes: false))
    }

    // MARK: Baselines

    @Test func cacheAwareGoesToTheShortestQueueWhereLoadsAreUneven() {
        var bench = bench(.cacheAware)
        for id in UInt64(100)..<133 { #expect(bench.arrive(turn(id, 5))?.endpoint == 2) }
        #expect(bench.arrive(turn(200, 5))?.endpoint == 0)
    }

    private func endpoints(
        _ sessions: Range<UInt64>, of bench: inout Bench, from id: UInt64
    ) -> [Int] {
        sessions.map { session in
            let number = id + session
            let endpoint = bench.arrive(turn(number, session))?.endpoint ?? -1
            _ = bench.complete(number)
            return endpoint
        }
    }

    @Test func consistentHashKeepsSessionsAndMovesFewWhenAnEndpointLeaves() {
        var bench = Bench(Fleet.equal(4, policy: .consistentHash))
        let before = endpoints(1..<401, of: &bench, from: 0)
        #expect(endpoints(1..<401, of: &bench, from: 1_000) == before)
        for endpoint in 0..<4 {
            #expect((60...140).contains(before.count { $0 == endpoint }))
        }
        bench.send(.setEndpointState(EndpointID(1), .draining))
        let after = endpoints(1..<401, of: &bench, from: 2_000)
        for (old, new) in zip(before, after) where old != 1 { #expect(old == new) }
        #expect(!after.contains(1))
    }

    @Test func consistentHashBoundsTheLoadOfOneKey() {
        var bench = Bench(Fleet.equal(4, policy: .consistentHash))
        let placed = (0..<80).map { bench.arrive(turn(UInt64($0), 7))?.endpoint ?? -1 }
        for endpoint in 0..<4 {
            #expect(placed.count { $0 == endpoint } <= 26)
        }
    }

    @Test func requestsWithoutSessionOrPromptAreSpread() {
        var bench = Bench(Fleet.equal(4, policy: .consistentHash))
        let placed = (0..<200).map { id -> Int in
            let endpoint = bench.arrive(chat(UInt64(id)))?.endpoint ?? -1
            _ = bench.complete(UInt64(id))
            return endpoint
        }
        for endpoint in 0..<4 {
            #expect((25...75).contains(placed.count { $0 == endpoint }))
        }
    }
}
