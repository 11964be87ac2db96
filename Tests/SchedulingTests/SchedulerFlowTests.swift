import InferenceTypes
import Testing

@testable import Scheduling

@Suite struct SchedulerFlowTests {
    @Test func queuesWhenFullAndDequeuesInOrder() {
        var bench = Bench(Fleet.equal(1, maxInFlight: 2))
        let actions = (1...5).map { bench.arrive(chat($0)) }
        #expect(actions.map { $0?.endpoint } == [0, 0, nil, nil, nil])
        #expect(actions[2] == .queue(RequestID(3)))
        let next = bench.complete(1)
        #expect(next.first?.requestID == RequestID(3) && next.first?.endpoint == 0)
        let after = bench.send(.withdrawn(RequestID(4)))
        #expect(after.isEmpty && bench.waiting() == 1)
        let last = bench.complete(2)
        #expect(last.first?.requestID == RequestID(5))
        #expect(bench.broken == [])
    }

    @Test func urgentClassesGoFirstWithoutStarvingOthers() {
        var configuration = Fleet.equal(1, maxInFlight: 1)
        configuration.starvationBound = 4
        var bench = Bench(configuration)
        bench.arrive(chat(1))
        for id in 10..<14 { bench.arrive(chat(UInt64(id), .default)) }
        for id in 20..<40 { bench.arrive(chat(UInt64(id), .interactive)) }
        var order: [UInt64] = []
        var running: UInt64 = 1
        while let next = bench.complete(running).first?.requestID {
            running = next.rawValue
            order.append(running)
        }
        #expect(order.prefix(6) == [20, 21, 22, 23, 10, 24])
        #expect(order.count == 24 && bench.broken == [])
    }

    @Test func queueIsBounded() {
        var configuration = Fleet.equal(1, maxInFlight: 1)
        configuration.limits.queuedRequests = 3
        var bench = Bench(configuration)
        let actions = (1...6).map { bench.arrive(chat($0)) }
        let reasons = actions.map { $0?.rejection?.reason }
        #expect(reasons == [nil, nil, nil, nil, .saturated, .saturated])
        #expect(RejectionReason.saturated.rawValue == "rejected-saturated")
        let seconds = actions[4]?.rejection?.retryAfterSeconds ?? 0
        #expect((1...120).contains(seconds))
    }

    @Test func queueTimeIsBounded() {
        var configuration = Fleet.equal(1, maxInFlight: 1)
        configuration.limits.queueTimeout = .seconds(5)
        var bench = Bench(configuration)
        let start = bench.now
        bench.arrive(chat(1))
        let idle = bench.scheduler.nextDeadline()
        #expect(idle == nil)
        bench.arrive(chat(2))
        bench.send(.deadline, after: .seconds(1))
        bench.arrive(chat(3))
        let deadline = bench.scheduler.nextDeadline()
        #expect(deadline == start + .seconds(5))
        let early = bench.send(.deadline, after: .seconds(3))
        #expect(early.isEmpty)
        let due = bench.send(.deadline, after: .seconds(1))
        #expect(due.first?.rejection?.reason == .ttlExpired)
        #expect(due.first?.requestID == RequestID(2))
        let next = bench.complete(1)
        #expect(next.first?.requestID == RequestID(3))
        let none = bench.scheduler.nextDeadline()
        #expect(none == nil && bench.broken == [])
    }

    @Test func modelsWithoutRoomDoNotHoldUpOthers() {
        var configuration = Fleet.equal(2, maxInFlight: 1)
        configuration.modelCount = 2
        configuration.pools.append(Fleet.pool(.vllm, .gpu, models: [1]))
        configuration.endpoints[1].pool = PoolID(1)
        var bench = Bench(configuration)
        for id in 1...40 { bench.arrive(chat(UInt64(id))) }
        let other = bench.arrive(chat(100, model: 1))
        #expect(other?.endpoint == 1)
        bench.arrive(chat(101, model: 1))
        let next = bench.complete(100)
        #expect(next.first?.requestID == RequestID(101))
    }

    @Test func tenantsStayInTheirPools() {
        var configuration = Fleet.unlike(policy: .roundRobin)
        configuration.tenants = [
            .init(allowedPools: [PoolID(1)]), .init(allowedPools: nil), .init(allowedPools: []),
        ]
        var bench = Bench(configuration)
        var used: Set<Int> = []
        for id in 0..<20 {
            let action = bench.arrive(chat(UInt64(id), tenant: TenantID(0)))
            used.insert(action?.endpoint ?? -1)
        }
        #expect(used == [2, 3])
        for (id, tenant) in [(50, 2), (51, 7), (52, -1)] {
            let action = bench.arrive(chat(UInt64(id), tenant: TenantID(tenant)))
            #expect(action?.rejection?.reason == .noEndpoints)
        }
        let free = bench.arrive(chat(60, tenant: TenantID(1)))
        #expect(free?.placement?.candidates == 5)
    }

    @Test func unknownModelsAndTasksAreRejected() {
        var bench = Bench(Fleet.equal(1, engine: .llamaServer))
        let model = bench.arrive(chat(1, model: 3))
        #expect(model?.rejection?.reason == .noEndpoints)
        var classify = chat(2)
        classify.task = .classify
        let task = bench.arrive(classify)
        #expect(task?.rejection?.reason == .noEndpoints)
    }

    @Test func shuttingDownRejectsWhatWaits() {
        var bench = Bench(Fleet.equal(1, maxInFlight: 1))
        for id in 1...3 { bench.arrive(chat(UInt64(id))) }
        let actions = bench.send(.drainAll)
        #expect(actions.map { $0.rejection?.reason } == [.shuttingDown, .shuttingDown])
        let late = bench.arrive(chat(4))
        #expect(late?.rejection?.reason == .shuttingDown)
        let end = bench.complete(1)
        #expect(end.isEmpty && bench.broken == [])
    }

    @Test func drainingEndpointFinishesAndGetsNothingNew() {
        var bench = Bench(Fleet.equal(2, policy: .roundRobin, maxInFlight: 1))
        bench.arrive(chat(1))
        let changed = bench.send(.setEndpointState(EndpointID(0), .draining))
        #expect(changed == [.endpointStateChanged(EndpointID(0), .draining)])
        let placed = bench.arrive(chat(2))
        #expect(placed?.endpoint == 1)
        bench.arrive(chat(3))
        let freed = bench.complete(1)
        #expect(freed.isEmpty)
        let back = bench.send(.setEndpointState(EndpointID(0), .active))
        #expect(back.last?.endpoint == 0 && bench.broken == [])
        bench.arrive(chat(4))
        bench.send(.setEndpointState(EndpointID(0), .draining))
        let hopeless = bench.send(.setEndpointState(EndpointID(1), .draining))
        #expect(hopeless.last?.rejection?.reason == .noEndpoints)
    }

    @Test func crossingEventsAreDropped() {
        var bench = Bench(Fleet.equal(1))
        bench.arrive(chat(1))
        _ = bench.complete(1)
        let none = [
            bench.complete(1), bench.fail(1, .cut), bench.send(.withdrawn(RequestID(1))),
            bench.send(.firstToken(RequestID(1))),
            bench.send(.progress([.init(request: RequestID(1), outputTokens: 5)])),
            bench.send(.probed(EndpointID(-1), healthy: false)),
            bench.send(.setEndpointState(EndpointID(9), .draining)),
            bench.send(.scraped(EndpointID(9), .init(running: 1, waiting: 1, at: .zero))),
        ]
        #expect(none.allSatisfy { $0.isEmpty } && bench.broken == [])
    }

    @Test func foreignLoadTakesRoomAndItsEndGivesItBack() {
        var bench = Bench(Fleet.equal(1, maxInFlight: 4))
        bench.arrive(chat(1))
        bench.send(.scraped(EndpointID(0), .init(running: 4, waiting: 0, at: bench.now)))
        let foreign = bench.endpoint(0).foreignSequences
        #expect(foreign == 3)
        let queued = bench.arrive(chat(2))
        #expect(queued == .queue(RequestID(2)))
        let freed = bench.send(
            .scraped(EndpointID(0), .init(running: 1, waiting: 0, at: bench.now)))
        #expect(freed.first?.requestID == RequestID(2))
    }

    @Test func manyChoicesCountAsSequences() {
        var bench = Bench(Fleet.equal(1, maxInFlight: 8))
        bench.arrive(chat(1, choices: .max))
        let huge = bench.endpoint(0).sequences
        #expect(huge == 1_024)
        let queued = bench.arrive(chat(2))
        #expect(queued?.isQueue == true)
        let next = bench.complete(1)
        #expect(next.first?.requestID == RequestID(2) && bench.broken == [])
    }

    @Test func usageTeachesTheNextPrediction() {
        var bench = Bench(Fleet.equal(1))
        for id in 1...300 {
            bench.arrive(chat(UInt64(id), bytes: 2_000))
            _ = bench.complete(UInt64(id), input: 1_000, output: 40)
        }
        let placement = bench.arrive(chat(999, bytes: 2_000))?.placement
        #expect((placement?.inputTokens ?? 0) > 950)
        #expect((38...45).contains(placement?.outputTokens ?? 0))
    }
}
