import InferenceTypes
import Testing

@testable import Scheduling

/// Random schedules of events, with everything that must hold checked after each.
struct RandomSchedule: ~Copyable {
    /// Where the shell thinks a request is.
    enum Whereabouts { case queued, running, ended }

    var bench: Bench
    var random: RandomSource
    var known: [Whereabouts] = []
    var wrong: [String] = []
    var rejected: [RejectionReason] = []
    let sleeps: Bool

    /// - Parameters:
    ///   - sleeps: endpoints are told to sleep and wake, too.
    ///   - journals: `bench.journal` takes everything down.
    ///   - adjust: last changes to the configuration.
    init(
        seed: UInt64, sleeps: Bool = false, journals: Bool = false,
        adjust: (inout Configuration) -> Void = { _ in }
    ) {
        self.sleeps = sleeps
        var random = RandomSource(seed: seed)
        var configuration = Fleet.unlike(
            policy: RoutingPolicy.allCases[
                random.nextIndex(below: RoutingPolicy.allCases.count)])
        configuration.modelCount = 2
        configuration.pools[0].models = [ModelID(0), ModelID(1)]
        for index in configuration.endpoints.indices {
            configuration.endpoints[index].maxInFlight = 2 + random.nextIndex(below: 4)
            configuration.endpoints[index].canSleep = sleeps
        }
        configuration.limits.queuedRequests = 24
        configuration.reportsAttribution = seed % 2 == 0
        configuration.meters = [
            .init(name: "gpus", endpoints: [EndpointID(0), EndpointID(1)], scope: .accelerator),
            .init(name: "npu", endpoints: [EndpointID(2)], scope: .accelerator),
            .init(
                name: "host", endpoints: [EndpointID(2), EndpointID(3), EndpointID(4)],
                scope: .host),
        ]
        configuration.limits.queueTimeout = .seconds(20)
        adjust(&configuration)
        bench = Bench(configuration, seed: seed, journals: journals)
        self.random = random
    }

    mutating func run(_ events: Int) {
        for _ in 0..<events {
            let delay = TimeSpan.milliseconds(Int64(random.nextIndex(below: 200)))
            let actions = bench.send(nextEvent(), after: delay)
            for action in actions { note(action) }
        }
    }

    private func ids(_ wanted: Whereabouts) -> [Int] {
        known.indices.suffix(200).filter { known[$0] == wanted }
    }

    private mutating func some(_ wanted: Whereabouts) -> Int? {
        let ids = ids(wanted)
        return ids.isEmpty ? nil : ids[random.nextIndex(below: ids.count)]
    }

    private mutating func nextEvent() -> Scheduler.Event {
        let endpoint = EndpointID(random.nextIndex(below: 5))
        let die = random.nextIndex(below: 100)
        if sleeps, random.nextIndex(below: 10) == 0 { return power(endpoint) }
        if die < 45 { return arrival() }
        if die >= 88 { return aside(die, endpoint) }
        if die >= 85, let id = some(.queued) {
            known[id] = .ended
            return .withdrawn(RequestID(UInt64(id)))
        }
        guard let index = some(.running) else { return .deadline }
        let id = RequestID(UInt64(index))
        switch die {
        case 45..<52: return .firstToken(id)
        case 52..<56: return .progress([.init(request: id, outputTokens: die * 7)])
        case 56..<66: return .attemptFailed(id, failure())
        case 66..<69:
            known[index] = .ended
            return .finished(id, .init(outcome: .failed(failure())))
        case 69..<72:
            known[index] = .ended
            return .withdrawn(id)
        default:
            known[index] = .ended
            let usage = Usage(
                inputTokens: die * 3, outputTokens: die, cachedInputTokens: die * index % 500)
            return .finished(id, .init(outcome: .completed, usage: usage))
        }
    }

    private mutating func arrival() -> Scheduler.Event {
        known.append(.ended)
        let serviceClass = ServiceClass.allCases[random.nextIndex(below: 4)]
        var request = chat(
            UInt64(known.count - 1), serviceClass, model: random.nextIndex(below: 2),
            bytes: random.nextIndex(below: 9_000), choices: 1 + random.nextIndex(below: 2))
        request.reportsEnergy = random.nextIndex(below: 4) == 0
        request.streams = random.nextIndex(below: 3) > 0
        if known.count % 3 > 0 {
            request.prefix = prefix(UInt64(known.count % 7), whole: 9_000)
        }
        return .arrived(request)
    }

    private mutating func aside(_ die: Int, _ endpoint: EndpointID) -> Scheduler.Event {
        switch die {
        case 88..<93: .probed(endpoint, healthy: random.nextIndex(below: 3) > 0)
        case 93..<95:
            .scraped(
                endpoint,
                .init(running: random.nextIndex(below: 6), waiting: 0, at: bench.now))
        case 95: .setEndpointState(endpoint, .draining)
        case 96, 97: .setEndpointState(endpoint, .active)
        case 98: .setPolicy(RoutingPolicy.allCases[
                random.nextIndex(below: RoutingPolicy.allCases.count)])
        default: .metered([window(), window()])
        }
    }

    /// Of any kind and any meter, a known one or not, at a time that may fit or not.
    private mutating func window() -> MeterWindow {
        let end = bench.now - .milliseconds(Int64(random.nextIndex(below: 3) * 100))
        return MeterWindow(
            meter: MeterID(random.nextIndex(below: 4)),
            start: end - .milliseconds(Int64(random.nextIndex(below: 5_000))), end: end,
            energy: Microjoules(Int64(random.nextIndex(below: 4_000_000_000)) - 1_000),
            provenance: .measured,
            kind: MeterWindow.Kind.allCases[random.nextIndex(below: 4)])
    }

    private mutating func power(_ endpoint: EndpointID) -> Scheduler.Event {
        switch random.nextIndex(below: 5) {
        case 0, 1: .planned(Plan(awake: (0..<5).map { _ in random.nextIndex(below: 2) == 0 }))
        case 2: .powerStateChanged(endpoint, .asleep)
        default: .powerStateChanged(endpoint, .awake)
        }
    }

    private mutating func failure() -> UpstreamFailure {
        switch random.nextIndex(below: 9) {
        case 0: .connectFailed
        case 1: .closedBeforeHeaders
        case 2: .timeout(.firstByte)
        case 3: .timeout(.betweenBytes)
        case 4: .saturated(retryAfter: nil)
        case 5: .saturated(retryAfter: .seconds(1))
        case 6: .serverError(status: 500)
        case 7: .clientError(status: 404)
        default: .cut
        }
    }

    /// A request may be queued or dispatched many times, and must end once.
    private mutating func note(_ action: Action) {
        guard let id = action.requestID.map({ Int($0.rawValue) }) else { return }
        switch action {
        case .dispatch: known[id] = .running
        case .queue: known[id] = .queued
        case .reject(_, let rejection):
            known[id] = .ended
            rejected.append(rejection.reason)
            if !(1...120).contains(rejection.retryAfterSeconds) {
                wrong.append("retry after \(rejection.retryAfterSeconds)")
            }
        case .endpointStateChanged, .charged, .attributed, .sleep, .wake: break
        }
    }
}

@Suite struct SchedulerPropertyTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func invariantsHoldAfterEveryEvent(_ seed: UInt64) {
        var schedule = RandomSchedule(seed: seed)
        schedule.run(10_000)
        let broken = schedule.bench.broken.prefix(3) + schedule.wrong.prefix(3)
        #expect(broken.isEmpty, "seed \(seed): \(broken)")
        let reasons = Set(schedule.rejected)
        #expect(reasons.contains(.saturated) && reasons.contains(.upstreamFailed))
        let live = schedule.known.count { $0 != .ended }
        let requests = schedule.bench.scheduler.snapshot(at: schedule.bench.now).requests
        #expect(live == requests)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func invariantsHoldWhileEndpointsSleepAndWake(_ seed: UInt64) {
        var schedule = RandomSchedule(seed: seed, sleeps: true)
        schedule.run(10_000)
        let broken = schedule.bench.broken.prefix(3) + schedule.wrong.prefix(3)
        #expect(broken.isEmpty, "seed \(seed): \(broken)")
        let orders = schedule.bench.all.count { action in
            switch action {
            case .sleep, .wake: true
            default: false
            }
        }
        #expect(orders > 100)
    }

    @Test func everyRequestEndsOnce() {
        var ends = 0
        var schedule = RandomSchedule(seed: 77)
        schedule.run(5_000)
        var seen: [Int] = Array(repeating: 0, count: schedule.known.count)
        for action in schedule.bench.all where action.rejection != nil {
            seen[Int(action.requestID?.rawValue ?? 0)] += 1
            ends += 1
        }
        #expect(ends > 0 && seen.allSatisfy { $0 <= 1 })
    }

    @Test func sameSeedSameActions() {
        var one = RandomSchedule(seed: 11)
        var two = RandomSchedule(seed: 11)
        one.run(4_000)
        two.run(4_000)
        let equal = one.bench.all == two.bench.all
        #expect(equal && one.bench.all.count > 3_000)
    }

    @Test func timeMayStandStillOrStepBack() {
        var schedule = RandomSchedule(seed: 5)
        for _ in 0..<400 {
            schedule.run(5)
            schedule.bench.now = schedule.bench.now - .milliseconds(300)
        }
        let broken = schedule.bench.broken.filter { !$0.contains("has room") }
        #expect(broken == [])
    }

    @Test(arguments: [0.02, 0.1, 0.5])
    func energyAwareNeedsFewerPredictedJoules(_ meanGap: Double) {
        func replay(_ policy: RoutingPolicy) -> FleetReplay {
            FleetReplay(Fleet.unlike(policy: policy), requests: 600, meanGap: meanGap, seed: 3)
        }
        let ours = replay(.energyAware)
        #expect(ours.dispatched == 600 && ours.broken == [])
        for policy in [RoutingPolicy.roundRobin, .random, .leastLoad, .leastLatency] {
            let other = replay(policy)
            #expect(ours.predicted < 0.95 * other.predicted, "\(policy) \(other.predicted)")
            if policy == .roundRobin { #expect(ours.predicted < 0.5 * other.predicted) }
        }
    }
}
