import InferenceTypes
import Testing

@testable import Scheduling

@Suite struct FillerTests {
    private func fleet(_ count: Int, engine: EngineKind = .vllm) -> Configuration {
        var configuration = Fleet.equal(
            count, profile: engine == .vllm ? Profiles.h100 : Profiles.npu, engine: engine,
            policy: .energyAware)
        configuration.patience.lenientShare = 0
        configuration.patience.strictShare = 0
        return configuration
    }

    @Test func aloneBulkStartsAtOnce() {
        var bench = Bench(fleet(2))
        #expect(bench.arrive(chat(1, .bulk))?.endpoint == 0)
        #expect(bench.arrive(chat(2, .bulk))?.endpoint == 0)
        #expect(bench.broken == [])
    }

    @Test func bulkFillsTheBusyEndpointAndOpensNone() {
        var bench = Bench(fleet(3))
        #expect(bench.arrive(chat(1, .interactive))?.endpoint == 0)
        for id in 2...20 as ClosedRange<UInt64> {
            bench.send(.deadline, after: .milliseconds(100))
            _ = bench.arrive(chat(id, .bulk, bytes: 400))
        }
        bench.send(.deadline, after: .seconds(1))
        #expect(bench.endpoint(0).inFlight == 20)
        #expect(bench.endpoint(1).inFlight == 0 && bench.endpoint(2).inFlight == 0)
        #expect(bench.broken == [])
    }

    @Test func aLongBulkPromptStaysAwayFromPromises() {
        var bench = Bench(fleet(3))
        #expect(bench.arrive(chat(1, .interactive, output: 4_000))?.endpoint == 0)
        // 40 000 tokens are 1.8 s of prefill.
        let action = bench.arrive(chat(2, .bulk, bytes: 160_000))
        #expect(action?.isQueue ?? false)
        let young = bench.send(.deadline, after: .seconds(1))
        #expect(young.allSatisfy { $0.endpoint == nil })
        let later = bench.send(.deadline, after: .milliseconds(1_100))
        #expect(later.compactMap(\.endpoint) == [1])
        #expect(bench.broken == [])
    }

    @Test func aThirdOfTheEndpointsStaysClearOfBulk() {
        var bench = Bench(fleet(6))
        _ = bench.arrive(chat(1, .interactive, output: 4_000))
        for id in 2...12 as ClosedRange<UInt64> {
            _ = bench.arrive(chat(id, .bulk, bytes: 160_000))
        }
        for _ in 0..<300 { bench.send(.deadline, after: .milliseconds(100)) }
        let counts = (0..<6).map { bench.endpoint($0).inFlight }
        #expect(counts[0] == 1 && counts.filter { $0 == 0 }.count == 1, "\(counts)")
        // The others go on as prompts are through.
        bench.send(.firstToken(RequestID(2)))
        bench.send(.deadline, after: .milliseconds(60))
        #expect((0..<6).map { bench.endpoint($0).inFlight }.reduce(0, +) == 6)
        #expect(bench.broken == [])
    }

    @Test func onAnNPUOneBulkPromptIsAheadAtMost() {
        var bench = Bench(fleet(1, engine: .vllmRBLN))
        _ = bench.arrive(chat(1, .interactive, bytes: 40))
        bench.send(.firstToken(RequestID(1)), after: .seconds(1))
        _ = bench.arrive(chat(2, .bulk, bytes: 4_000))
        _ = bench.arrive(chat(3, .bulk, bytes: 4_000))
        bench.send(.deadline, after: .milliseconds(60))
        #expect(bench.endpoint(0).inFlight == 2 && bench.waiting() == 1)
        bench.send(.firstToken(RequestID(2)), after: .milliseconds(200))
        bench.send(.deadline, after: .milliseconds(60))
        #expect(bench.endpoint(0).inFlight == 3 && bench.waiting() == 0)
    }

    @Test func slotsAreKeptForABurst() {
        var configuration = fleet(1)
        configuration.endpoints[0].maxInFlight = 16
        var bench = Bench(configuration)
        _ = bench.arrive(chat(1, .interactive, output: 4_000))
        for id in 2...40 as ClosedRange<UInt64> {
            _ = bench.arrive(chat(id, .bulk, bytes: 40))
            bench.send(.deadline, after: .milliseconds(60))
        }
        // An eighth of 16 slots is kept.
        #expect(bench.endpoint(0).inFlight == 14)
        #expect(bench.arrive(chat(50, .interactive))?.endpoint == 0)
    }

    @Test func passedOverForAMinuteBulkHasItsTurn() {
        var configuration = fleet(1)
        configuration.endpoints[0].maxInFlight = 4
        var bench = Bench(configuration)
        for id in 1...4 as ClosedRange<UInt64> { _ = bench.arrive(chat(id, .interactive)) }
        _ = bench.arrive(chat(1_000, .bulk))
        var served = false
        for id in 5...200 as ClosedRange<UInt64> {
            _ = bench.arrive(chat(id, .interactive))
            bench.now = bench.now + .seconds(1)
            let actions = bench.complete(id - 4, output: 10)
            if actions.contains(where: { $0.requestID == RequestID(1_000) && $0.endpoint != nil }) {
                served = true
                break
            }
        }
        #expect(served && bench.broken == [])
    }

    @Test func bulkWaitsLongerThanOthers() {
        var configuration = fleet(1)
        configuration.endpoints[0].maxInFlight = 1
        configuration.limits.queueTimeout = .seconds(30)
        configuration.limits.bulkQueueTimeout = .seconds(90)
        var bench = Bench(configuration)
        _ = bench.arrive(chat(1, .default))
        _ = bench.arrive(chat(2, .default))
        _ = bench.arrive(chat(3, .bulk))
        let first = bench.send(.deadline, after: .seconds(31))
        #expect(first.contains { $0.requestID == RequestID(2) && $0.rejection != nil })
        #expect(bench.waiting() == 1)
        let second = bench.send(.deadline, after: .seconds(60))
        #expect(second.contains { $0.rejection?.reason == .ttlExpired })
    }

    @Test func aShadowChangesNothing() {
        func play(_ shadow: RoutingPolicy?, _ policy: RoutingPolicy) -> [[Int]] {
            var configuration = Fleet.unlike(policy: policy)
            configuration.shadowPolicy = shadow
            let bench = Bench(configuration, seed: 7)
            return Self.placements(bench)
        }
        for policy in [RoutingPolicy.energyAware, .random, .roundRobin, .powerOfTwo] {
            let alone = play(nil, policy)
            for shadow in [RoutingPolicy.random, .roundRobin, .powerOfTwo, .leastLoad] {
                let beside = play(shadow, policy)
                #expect(alone.map { $0[0] } == beside.map { $0[0] })
                #expect(alone.allSatisfy { $0[1] < 0 } && beside.allSatisfy { $0[1] >= 0 })
            }
        }
        // The same policy agrees with itself.
        #expect(play(.leastLoad, .leastLoad).allSatisfy { $0[0] == $0[1] })
    }

    /// Pairs of the endpoint chosen and the one that the shadow would have, -1 without one.
    private static func placements(_ bench: consuming Bench) -> [[Int]] {
        var bench = bench
        for id in 1...60 as ClosedRange<UInt64> {
            bench.now = bench.now + .milliseconds(40)
            _ = bench.arrive(chat(id))
            if id > 20 { _ = bench.complete(id - 20, output: 50) }
        }
        return bench.all.compactMap(\.placement).map {
            [$0.endpoint.index, $0.shadow?.endpoint.index ?? -1]
        }
    }
}
