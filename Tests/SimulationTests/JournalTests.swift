import InferenceTypes
import Scheduling
import Testing

@testable import Simulation

/// A gateway's journal, made by hand: requests that come, are answered as predicted, and go.
private struct MadeJournal: ~Copyable {
    private var scheduler: Scheduler
    private var recorder = JournalRecorder(at: .zero)
    private let head: JournalHead
    private var now = MonotonicTime.zero

    init(_ configuration: Scheduler.Configuration) {
        head = JournalHead(
            gatewayVersion: "1.2.3", unixStart: .seconds(1_800_000_000),
            configuration: configuration, seed: 3, start: .zero, endpoints: ["a:1", "b:2"])
        scheduler = head.scheduler()
    }

    mutating func send(_ event: Scheduler.Event, after delay: TimeSpan = .zero) {
        now = now + delay
        var actions: [Scheduler.Action] = []
        scheduler.handle(event, at: now, into: &actions)
        recorder.record(event, at: now, actions)
    }

    mutating func reader(_ change: (inout [UInt8]) -> Void = { _ in }) throws -> JournalReader {
        let events = recorder.events
        var bytes = JournalFormat.prologue + head.block() + recorder.take(into: []).block()
        bytes += JournalEnd.stopped.block(events: events)
        change(&bytes)
        var position = 0
        return try JournalReader { [bytes] count in
            let end = min(position + count, bytes.count)
            defer { position = end }
            return Array(bytes[position..<end])
        }
    }
}

@Suite struct JournalTests {
    private func request(
        _ number: UInt64, task: InferenceTask = .chat, _ serviceClass: ServiceClass = .interactive,
        choices: Int = 1
    ) -> InferenceRequest {
        InferenceRequest(
            id: RequestID(number), model: ModelID(0), task: task, serviceClass: serviceClass,
            streams: true, promptBytes: 2_000, choices: choices)
    }

    private func journal() -> MadeJournal {
        let fleet = SimulatedFleet(pools: [
            .init(name: "gpus", engine: .vllm, profile: TestProfile.gpu, count: 2)
        ])
        var configuration = fleet.configuration(models: 1, policy: .roundRobin)
        configuration.limits.queuedRequests = 9
        var journal = MadeJournal(configuration)
        for number in 0..<40 as Range<UInt64> {
            journal.send(.arrived(request(number)), after: .milliseconds(250))
            let usage = Usage(inputTokens: 480, outputTokens: 50 + Int(number))
            journal.send(
                .finished(RequestID(number), .init(outcome: .completed, usage: usage)),
                after: .milliseconds(700))
        }
        journal.send(.arrived(request(100, task: .embedding)))
        journal.send(.arrived(request(101)))
        journal.send(.progress([.init(request: RequestID(101), outputTokens: 30)]))
        journal.send(.withdrawn(RequestID(101)), after: .seconds(1))
        journal.send(.arrived(request(102, .bulk, choices: 2)))
        let usage = Usage(outputTokens: 60)
        journal.send(.finished(RequestID(102), .init(outcome: .completed, usage: usage)))
        journal.send(.arrived(request(103)))
        return journal
    }

    @Test func aReportSaysWhatWasPlacedWhere() throws {
        var made = journal()
        let report = try ReplayReport(try made.reader())
        #expect(report.isExact && report.end == "stopped")
        #expect(report.events == 87 && report.requests == 44 && report.decisions == 44)
        #expect(report.bytes > 44 * 30 && report.bytes < 44 * 200 + 2_000)
        #expect(report.completed == 41 && report.cancelled == 1 && report.failed == 0)
        #expect(report.placed.map(\.endpoint) == ["a:1", "b:2"])
        #expect(report.placed.allSatisfy { $0.placements > 20 })
        #expect(report.placed.reduce(0) { $0 + $1.placements } == 44)
        #expect(report.placed.allSatisfy { $0.predictedJoules > 10 && $0.pool == "gpus" })
        #expect(abs(report.seconds - (40 * 0.95 + 1)) < 1e-6)
    }

    @Test func damageIsReportedWithWhatCameBefore() throws {
        var made = journal()
        let report = try ReplayReport(try made.reader { $0[$0.count - 1] = 9 })
        #expect(!report.isExact && report.divergence == nil && report.events == 87)
        #expect(report.damage?.contains("is damaged") == true && report.end == nil)
    }

    @Test func requestsBecomeAWorkload() throws {
        var made = journal()
        let journal = try JournalWorkload(try made.reader())
        let arrivals = journal.workload.arrivals
        // Two for the two choices of one.
        #expect(arrivals.count == 40 + 1 + 2)
        #expect(journal.withoutTokens == 1 && journal.unknown == 1)
        #expect(arrivals[0].at == .zero + .milliseconds(250))
        #expect(arrivals[7].inputTokens == 480 && arrivals[7].outputTokens == 57)
        #expect(arrivals[40].outputTokens == 30 && arrivals[40].inputTokens == 500)
        #expect(arrivals[41].outputTokens == 30 && arrivals[42].outputTokens == 30)
        let services = journal.workload.services
        #expect(services.count == 2 && services[1].serviceClass == .bulk)
        #expect(services[0].objective.timeToFirstToken == .seconds(1))
        #expect(services[1].objective == LatencyObjective())
        #expect(journal.fleet.pools.map(\.count) == [2])
    }

    @Test func whatNoEngineHoldsIsNotPlayed() throws {
        var made = MadeJournal(
            SimulatedFleet(pools: [
                .init(name: "gpus", engine: .vllm, profile: TestProfile.gpu, count: 1)
            ]).configuration(models: 1, policy: .roundRobin))
        let usages = [
            Usage(inputTokens: .max, outputTokens: 5), Usage(inputTokens: 5, outputTokens: .max),
            Usage(inputTokens: 5, outputTokens: 6),
        ]
        for (number, usage) in usages.enumerated() {
            let id = RequestID(UInt64(number))
            made.send(.arrived(request(UInt64(number))))
            made.send(.finished(id, .init(outcome: .completed, usage: usage)))
        }
        let journal = try JournalWorkload(try made.reader())
        #expect(journal.workload.arrivals.map(\.outputTokens) == [6] && journal.unknown == 2)
    }

    @Test func anotherPolicyIsPlayedUnderTheJournalsRules() throws {
        var made = journal()
        let journal = try JournalWorkload(try made.reader())
        func run(_ policy: RoutingPolicy) -> RunRecord {
            let director = journal.adjusted(Director(name: policy.rawValue, policy: policy))
            var configuration = journal.fleet.configuration(models: 1, policy: policy)
            director.adjust(&configuration)
            #expect(configuration.limits.queuedRequests == 9 && configuration.policy == policy)
            return Simulator(
                workload: journal.workload, fleet: journal.fleet, director: director, seed: 1
            ).run(until: journal.workload.horizon)
        }
        let turns = run(.roundRobin)
        let ours = run(.energyAware)
        #expect(turns.finished.count == 43 && ours.finished.count == 43)
        #expect(ours.energyAboveIdle < turns.energyAboveIdle)
        #expect(Set(turns.outcomes.compactMap(\.endpoint)).count == 2)
    }
}
