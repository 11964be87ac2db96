import InferenceTypes

@testable import Scheduling

typealias Configuration = Scheduler.Configuration
typealias Action = Scheduler.Action

/// Configurations for tests: model 0 everywhere unless said otherwise.
enum Fleet {
    static func pool(
        _ engine: EngineKind, _ accelerator: AcceleratorKind, models: [Int] = [0]
    ) -> Configuration.Pool {
        Configuration.Pool(
            name: engine.rawValue, engine: engine, accelerator: accelerator,
            models: models.map { ModelID($0) })
    }

    /// `count` equal endpoints in one pool.
    static func equal(
        _ count: Int, profile: Profile = Profiles.h100, engine: EngineKind = .vllm,
        policy: RoutingPolicy = .leastLoad, maxInFlight: Int? = nil
    ) -> Configuration {
        Configuration(
            pools: [pool(engine, .gpu)],
            endpoints: (0..<count).map { _ in
                Configuration.Endpoint(
                    pool: PoolID(0), profile: profile, maxInFlight: maxInFlight)
            },
            modelCount: 1, policy: policy)
    }

    /// As `unlike`, with the guard as strict as it gets and nobody waiting by choice.
    static func strict() -> Configuration {
        var configuration = unlike()
        configuration.governor.start = 1
        configuration.patience.lenientShare = 0
        configuration.patience.strictShare = 0
        return configuration
    }

    /// GPU 0 and 1, NPU 2 and 3, CPU 4.
    static func unlike(policy: RoutingPolicy = .energyAware) -> Configuration {
        Configuration(
            pools: [pool(.vllm, .gpu), pool(.vllmRBLN, .npu), pool(.llamaServer, .cpu)],
            endpoints: [
                Configuration.Endpoint(pool: PoolID(0), profile: Profiles.h100),
                Configuration.Endpoint(pool: PoolID(0), profile: Profiles.h100),
                Configuration.Endpoint(pool: PoolID(1), profile: Profiles.npu),
                Configuration.Endpoint(pool: PoolID(1), profile: Profiles.npu),
                Configuration.Endpoint(pool: PoolID(2), profile: Profiles.arm),
            ],
            modelCount: 1, policy: policy)
    }
}

func chat(
    _ id: UInt64, _ serviceClass: ServiceClass = .default, model: Int = 0, bytes: Int = 800,
    output: Int? = nil, choices: Int = 1, tenant: TenantID = .anonymous,
    objective: LatencyObjective = LatencyObjective()
) -> InferenceRequest {
    InferenceRequest(
        id: RequestID(id), tenant: tenant, model: ModelID(model), task: .chat,
        serviceClass: serviceClass, streams: true, promptBytes: bytes,
        maxOutputTokens: output, choices: choices, objective: objective)
}

/// A scheduler with a clock that the test moves; keeps every action and broken invariant.
struct Bench: ~Copyable {
    var scheduler: Scheduler
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    var all: [Action] = []
    var broken: [String] = []
    /// Takes everything down, if there is one.
    var journal: MemoryJournal?

    init(_ configuration: Configuration, seed: UInt64 = 1, journals: Bool = false) {
        scheduler = Scheduler(configuration: configuration, seed: seed)
        journal = journals ? MemoryJournal(configuration, seed: seed) : nil
    }

    /// The actions of one event, after `delay`.
    @discardableResult
    mutating func send(_ event: Scheduler.Event, after delay: TimeSpan = .zero) -> [Action] {
        now = now + delay
        var actions: [Action] = []
        scheduler.handle(event, at: now, into: &actions)
        journal?.record(event, at: now, actions)
        all += actions
        broken += scheduler.checkInvariants(at: now)
        return actions
    }

    @discardableResult
    mutating func arrive(_ request: InferenceRequest) -> Action? {
        send(.arrived(request)).last { $0.requestID == request.id }
    }

    mutating func complete(_ id: UInt64, input: Int? = nil, output: Int? = nil) -> [Action] {
        let usage = Usage(inputTokens: input, outputTokens: output)
        return send(
            .finished(
                RequestID(id), Scheduler.Completion(outcome: .completed, usage: usage)))
    }

    mutating func fail(_ id: UInt64, _ failure: UpstreamFailure) -> [Action] {
        send(.attemptFailed(RequestID(id), failure))
    }

    func endpoint(_ index: Int) -> Scheduler.Snapshot.Endpoint {
        scheduler.snapshot(at: now).endpoints[index]
    }

    func condition(_ index: Int) -> EndpointCondition { endpoint(index).condition }

    func waiting() -> Int {
        scheduler.snapshot(at: now).queueDepths.reduce(0) { $0 + $1.waiting }
    }
}

extension Action {
    var requestID: RequestID? {
        switch self {
        case .dispatch(let id, _), .queue(let id), .reject(let id, _): id
        case .endpointStateChanged, .charged, .attributed, .sleep, .wake: nil
        }
    }

    var placement: Placement? {
        if case .dispatch(_, let placement) = self { return placement }
        return nil
    }

    var endpoint: Int? { placement?.endpoint.index }

    var rejection: Rejection? {
        if case .reject(_, let rejection) = self { return rejection }
        return nil
    }

    var isQueue: Bool {
        if case .queue = self { return true }
        return false
    }

    var isReject: Bool {
        if case .reject = self { return true }
        return false
    }
}
