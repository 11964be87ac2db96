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

    @Test func whoLeavesWhileWaitingIsForgotten() {
        var bench = busyBench()
        _ = bench.arrive(chat(2, .interactive, objective: Self.promise))
        bench.send(.withdrawn(RequestID(2)))
        #expect(bench.waiting() == 0)
        let later = bench.send(.deadline, after: .seconds(1))
        #expect(later.allSatisfy { $0.requestID != RequestID(2) } && bench.broken.isEmpty)
    }
}
