import InferenceTypes
import Testing

@testable import Scheduling

/// Waiting by choice, on two H100 of which one is busy and the other idle.
struct PatienceTests {
    static let promise = LatencyObjective(
        timeToFirstToken: .seconds(1), interTokenLatency: .milliseconds(60))

    /// 20 000 prompt tokens are 0.9 s of prefill: the first endpoint is past its guard.
    private func busyBench(bytes: Int = 80_000) -> Bench {
        var bench = Bench(Fleet.equal(2, policy: .energyAware))
        let first = bench.arrive(chat(1, .interactive, bytes: bytes))
        #expect(first?.endpoint == 0)
        return bench
    }

    @Test func waitsForTheBusyEndpointRatherThanWakingAnIdleOne() throws {
        var bench = busyBench()
        let action = bench.arrive(chat(2, .interactive, objective: Self.promise))
        #expect(action == .queue(RequestID(2)))
        // The long prompt is through: there is room within the promise.
        let actions = bench.send(.firstToken(RequestID(1)), after: .milliseconds(100))
        #expect(actions.isEmpty)
        let next = bench.scheduler.nextDeadline()
        let deadline = try #require(next)
        #expect(deadline <= bench.now + Patience.defaults.interval)
        var placed: Action?
        for _ in 0..<100 where placed == nil {
            placed = bench.send(.deadline, after: .milliseconds(10)).first { $0.endpoint != nil }
        }
        #expect(placed?.endpoint == 0)
        #expect(try #require(placed?.placement?.waited) < .milliseconds(450))
        #expect(bench.broken.isEmpty)
    }

    @Test func takesTheIdleEndpointWhenItsPatienceEnds() throws {
        var bench = busyBench(bytes: 320_000)
        let second = bench.arrive(chat(2, .interactive, objective: Self.promise))
        #expect(second == .queue(RequestID(2)))
        var placed: Action?
        for _ in 0..<100 where placed == nil {
            placed = bench.send(.deadline, after: .milliseconds(10)).first { $0.endpoint != nil }
        }
        let placement = try #require(placed?.placement)
        #expect(placement.endpoint == EndpointID(1) && placement.reason == .leastEnergy)
        // Between the strict and the lenient share of one second, and the next look.
        #expect(placement.waited >= .milliseconds(200) && placement.waited <= .milliseconds(460))
        #expect(bench.broken.isEmpty)
    }

    @Test func doesNotWaitWithoutAPromiseOrUnderAnotherPolicy() {
        for policy in RoutingPolicy.allCases where policy != .energyAware {
            var bench = Bench(Fleet.equal(2, policy: policy))
            _ = bench.arrive(chat(1, .interactive, bytes: 80_000))
            #expect(bench.arrive(chat(2, .interactive, objective: Self.promise))?.endpoint != nil)
        }
        var bench = Bench(Fleet.equal(2, policy: .energyAware))
        _ = bench.arrive(chat(1, .bulk, bytes: 80_000))
        #expect(bench.arrive(chat(2, .bulk))?.endpoint != nil)
    }

    /// Two NPUs on which streams run: every prompt makes them stand still.
    @Test(arguments: [1, 2])
    func promptsForNPUsArePacedAsFarAsTheirOwnPromiseGoes(count: Int) throws {
        var configuration = Fleet.equal(count, policy: .energyAware)
        configuration.pools[0].engine = .vllmRBLN
        for index in configuration.endpoints.indices {
            configuration.endpoints[index].profile = Profiles.npu
        }
        var bench = Bench(configuration)
        for id in 1...UInt64(count) {
            let first = bench.arrive(chat(id, .interactive, objective: Self.promise))
            #expect(first?.endpoint != nil)
            bench.send(.firstToken(RequestID(id)))
        }
        // 16 000 bytes are some 4 000 tokens, 0.44 s in which nobody else gets one.
        var waited: [TimeSpan] = []
        for id in UInt64(11)...13 {
            bench.arrive(chat(id, .interactive, bytes: 16_000, objective: Self.promise))
        }
        for _ in 0..<100 {
            waited += bench.send(.deadline, after: .milliseconds(10)).compactMap {
                $0.placement?.waited
            }
        }
        // Sooner or later each goes: nobody waits beyond its patience.
        #expect(waited.count >= 1)
        #expect(waited.allSatisfy { $0 > .zero && $0 <= .milliseconds(460) })
        let placed = bench.all.compactMap { $0.placement == nil ? nil : $0.requestID }
        #expect(Set(placed).isSuperset(of: [RequestID(11), RequestID(12), RequestID(13)]))
        #expect(bench.broken.isEmpty)
    }

    @Test func doesNotWaitInAFullQueue() {
        var configuration = Fleet.equal(2, policy: .energyAware)
        configuration.limits.queuedRequests = 1
        var bench = Bench(configuration)
        _ = bench.arrive(chat(1, .interactive, bytes: 80_000))
        let second = bench.arrive(chat(2, .interactive, objective: Self.promise))
        #expect(second == .queue(RequestID(2)))
        #expect(bench.arrive(chat(3, .interactive, objective: Self.promise))?.endpoint == 1)
        #expect(bench.broken.isEmpty)
    }

    /// The first of the lane is too wide for any endpoint; the one behind it waits by choice.
    @Test func whoFindsNoRoomDoesNotHoldUpTheNext() throws {
        var bench = busyBench(bytes: 320_000)
        let wide = bench.arrive(chat(2, .interactive, choices: 1_000, objective: Self.promise))
        #expect(wide?.endpoint == 1)
        let wider = bench.arrive(chat(3, .interactive, choices: 1_000, objective: Self.promise))
        #expect(wider == .queue(RequestID(3)))
        bench.send(.withdrawn(RequestID(2)))
        let more = bench.arrive(chat(4, .interactive, choices: 150, objective: .init()))
        #expect(more?.endpoint != nil)
        let last = bench.arrive(chat(5, .interactive, objective: Self.promise))
        var placed = last?.endpoint
        for _ in 0..<100 where placed == nil {
            let actions = bench.send(.deadline, after: .milliseconds(10))
            placed = actions.first { $0.requestID == RequestID(5) }?.endpoint
        }
        #expect(placed != nil && bench.broken.isEmpty)
    }

    @Test func doesNotWaitBeyondItsTimeInTheQueue() {
        var configuration = Fleet.equal(2, policy: .energyAware)
        configuration.limits.queueTimeout = .milliseconds(15)
        var bench = Bench(configuration)
        _ = bench.arrive(chat(1, .interactive, bytes: 320_000))
        #expect(bench.arrive(chat(2, .interactive, objective: Self.promise))?.endpoint == 1)
    }

    /// The head of a whole answer comes with its last token: that is no late first token.
    @Test func wholeAnswersTeachTheGovernorNothing() {
        for streams in [true, false] {
            var bench = Bench(Fleet.equal(1, policy: .energyAware))
            let before = bench.scheduler.governors[0].strictness
            for id in 1...20 {
                var request = chat(UInt64(id), .interactive, objective: Self.promise)
                request.streams = streams
                _ = bench.arrive(request)
                bench.send(.firstToken(request.id), after: .seconds(3))
                _ = bench.complete(UInt64(id), input: 200, output: 200)
            }
            let after = bench.scheduler.governors[0].strictness
            #expect(streams ? after == 1 : after == before)
        }
    }

    @Test func whoLeavesWhileWaitingIsForgotten() {
        var bench = busyBench()
        _ = bench.arrive(chat(2, .interactive, objective: Self.promise))
        bench.send(.withdrawn(RequestID(2)))
        #expect(bench.waiting() == 0)
        let later = bench.send(.deadline, after: .seconds(1))
        #expect(later.allSatisfy { $0.requestID != RequestID(2) } && bench.broken.isEmpty)
    }
}
