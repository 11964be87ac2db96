import InferenceTypes
import Testing

@testable import Scheduling

@Suite struct SchedulerFailureTests {
    @Test func retriesElsewhereAndIsBounded() {
        var bench = Bench(Fleet.equal(4, policy: .roundRobin))
        let first = bench.arrive(chat(1))
        #expect(first?.placement?.attempt == 1)
        var tried = [first?.endpoint]
        for attempt in 2...3 {
            let action = bench.fail(1, .closedBeforeHeaders).first
            #expect(action?.placement?.attempt == attempt)
            tried.append(action?.endpoint)
        }
        #expect(tried == [0, 1, 2])
        let last = bench.fail(1, .serverError(status: 500)).first?.rejection
        #expect(last?.reason == .upstreamFailed && last?.attempts == 3)
        #expect(last?.lastFailure == .serverError(status: 500))
        #expect(bench.broken == [])
    }

    @Test func noAttemptAfterTheRetryWindow() {
        var bench = Bench(Fleet.equal(4))
        bench.arrive(chat(1))
        bench.send(.deadline, after: .seconds(10))
        let action = bench.fail(1, .timeout(.firstByte)).first
        #expect(action?.rejection?.reason == .upstreamFailed)
    }

    @Test func queuedRetryEndsWithTheRetryWindow() {
        var bench = Bench(Fleet.equal(2, policy: .roundRobin, maxInFlight: 1))
        bench.arrive(chat(1))
        bench.arrive(chat(2))
        let queued = bench.fail(1, .cut)
        #expect(queued.contains(.queue(RequestID(1))))
        let late = bench.send(.deadline, after: .seconds(10))
        #expect(late.first?.rejection?.reason == .upstreamFailed)
        #expect(late.first?.rejection?.lastFailure == .cut && bench.broken == [])
    }

    @Test func retryTakesItsOldPlaceInTheQueue() {
        var bench = Bench(Fleet.equal(2, policy: .roundRobin, maxInFlight: 1))
        for id in 1...4 { bench.arrive(chat(UInt64(id))) }
        let actions = bench.fail(1, .cut)
        // Endpoint 0 is free for the next one, but failed this one.
        #expect(actions.contains { $0.requestID == RequestID(3) && $0.endpoint == 0 })
        let next = bench.complete(2)
        #expect(next.first?.requestID == RequestID(1) && next.first?.endpoint == 1)
        #expect(bench.broken == [])
    }

    @Test func aRequestOnWhichAllErrEjectsOnlyWhomItAsksFirst() {
        var bench = Bench(Fleet.equal(3, policy: .leastRequests))
        for id in 1...5 {
            bench.arrive(chat(UInt64(id)))
            for _ in 1...3 { _ = bench.fail(UInt64(id), .serverError(status: 500)) }
        }
        let conditions = (0..<3).map { bench.condition($0) }
        #expect(conditions.count { $0 == .active } >= 2, "\(conditions)")
        #expect(bench.broken == [])
    }

    @Test func clientErrorsNeverEject() {
        var bench = Bench(Fleet.equal(1))
        for id in 1...1_000 {
            bench.arrive(chat(UInt64(id)))
            if id % 2 == 0 {
                let action = bench.fail(UInt64(id), .clientError(status: 400)).first
                #expect(action?.rejection?.attempts == 1)
            } else {
                bench.send(
                    .finished(
                        RequestID(UInt64(id)),
                        .init(outcome: .failed(.clientError(status: 422)))))
            }
        }
        let condition = bench.condition(0)
        #expect(condition == .active && bench.broken == [])
    }

    @Test func saturationMovesOnWithoutEjection() {
        var bench = Bench(Fleet.equal(2, policy: .roundRobin))
        for id in 1...40 {
            let action = bench.arrive(chat(UInt64(id)))
            guard action?.endpoint == 0 else { continue }
            let moved = bench.fail(UInt64(id), .saturated(retryAfter: .seconds(2)))
            #expect(moved.first { $0.requestID != nil }?.endpoint == 1)
            let condition = bench.condition(0)
            #expect(condition == .resting)
            bench.send(.deadline, after: .milliseconds(2_100))
        }
        let condition = bench.condition(0)
        #expect(condition == .active)
        let states = bench.all.filter {
            $0 == .endpointStateChanged(EndpointID(0), .ejected)
        }
        #expect(states == [] && bench.broken == [])
    }

    @Test func aLoneSaturatedEndpointIsAskedAgainAfterItsRest() {
        var bench = Bench(Fleet.equal(1))
        bench.arrive(chat(1))
        let queued = bench.fail(1, .saturated(retryAfter: .seconds(1)))
        #expect(queued.contains(.queue(RequestID(1))))
        let deadline = bench.scheduler.nextDeadline()
        #expect(deadline == bench.now + .seconds(1))
        let again = bench.send(.deadline, after: .seconds(1))
        #expect(again.contains { $0.placement?.attempt == 2 })
        _ = bench.fail(1, .saturated(retryAfter: .seconds(1)))
        bench.send(.deadline, after: .seconds(1))
        let last = bench.fail(1, .saturated(retryAfter: .seconds(50)))
        let rejection = last.first { $0.rejection != nil }?.rejection
        #expect(rejection?.reason == .saturated)
        #expect((rejection?.retryAfterSeconds ?? 0) >= 50 && bench.broken == [])
    }

    @Test func deadEndpointIsEjectedTriedAndEased() {
        var bench = Bench(Fleet.equal(2, policy: .roundRobin, maxInFlight: 20))
        for id in [1, 3] as [UInt64] {
            bench.arrive(chat(id))
            _ = bench.fail(id, .connectFailed)
            bench.arrive(chat(id + 1))
        }
        var condition = bench.condition(0)
        #expect(condition == .ejected)
        for id in 10..<15 {
            let action = bench.arrive(chat(UInt64(id)))
            #expect(action?.endpoint == 1)
        }
        bench.send(.deadline, after: .milliseconds(5_600))
        condition = bench.condition(0)
        #expect(condition == .onTrial)
        var onTrial: [UInt64] = []
        for id in 20..<26 {
            let action = bench.arrive(chat(UInt64(id)))
            if action?.endpoint == 0 { onTrial.append(UInt64(id)) }
        }
        #expect(onTrial.count == 1)
        bench.send(.firstToken(RequestID(onTrial.first ?? 0)))
        condition = bench.condition(0)
        #expect(condition == .slowStart)
        for id in 30..<44 { bench.arrive(chat(UInt64(id))) }
        let eased = bench.endpoint(0).inFlight
        #expect(eased == 2)
        bench.send(.deadline, after: .seconds(20))
        condition = bench.condition(0)
        #expect(condition == .active && bench.broken == [])
    }

    @Test func hungEngineIsEjectedByItsTimeouts() {
        var bench = Bench(Fleet.equal(2, policy: .roundRobin))
        for id in 1...4 { bench.arrive(chat(UInt64(id))) }
        for id in [1, 3] as [UInt64] { _ = bench.fail(id, .timeout(.firstByte)) }
        let condition = bench.condition(0)
        #expect(condition == .ejected)
    }

    @Test func requestsWaitForAnEjectedEndpointButNotForASickOne() {
        var bench = Bench(Fleet.equal(1))
        for id in 1...2 {
            bench.arrive(chat(UInt64(id)))
            let action = bench.fail(UInt64(id), .connectFailed).first { $0.rejection != nil }
            #expect(action?.rejection?.reason == .upstreamFailed)
        }
        let queued = bench.arrive(chat(3))
        #expect(queued == .queue(RequestID(3)))
        for _ in 0..<2 { bench.send(.probed(EndpointID(0), healthy: false)) }
        let sick = bench.send(.probed(EndpointID(0), healthy: false))
        #expect(sick.contains { $0.rejection?.reason == .noEndpoints })
        let refused = bench.arrive(chat(4))
        #expect(refused?.rejection?.reason == .noEndpoints)
        bench.send(.probed(EndpointID(0), healthy: true))
        bench.send(.probed(EndpointID(0), healthy: true))
        bench.send(.deadline, after: .seconds(6))
        let back = bench.arrive(chat(5))
        #expect(back?.endpoint == 0 && bench.broken == [])
    }

    @Test func withdrawnTrialLeavesTheNextOneFree() {
        var bench = Bench(Fleet.equal(1))
        for id in 1...2 {
            bench.arrive(chat(UInt64(id)))
            _ = bench.fail(UInt64(id), .connectFailed)
        }
        bench.send(.deadline, after: .seconds(6))
        bench.arrive(chat(3))
        let waiting = bench.arrive(chat(4))
        #expect(waiting?.isQueue == true)
        let next = bench.send(.withdrawn(RequestID(3)))
        #expect(next.first?.requestID == RequestID(4) && bench.broken == [])
    }
}
