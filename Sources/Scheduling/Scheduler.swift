import EnergyModel
import InferenceTypes

/// The core: told what happened and when, it says what to do next. No input or output, no clock,
/// no chance but its own seeded source: the gateway and the simulator drive the same value.
///
/// The life of a request here: `arrived` -> filters, estimate, score, pick -> `dispatch`; or
/// `queue`, until room appears, the time is up or the client leaves; or `reject`. A dispatched
/// request ends by `finished` or `withdrawn`, or comes back by `attemptFailed` for another
/// dispatch, the queue or a rejection. Each ends exactly once.
///
/// Inputs that are wrong: an id that arrives twice is the shell's bug and traps. Events about
/// unknown requests or endpoints are legitimate (two ends crossed) and are dropped. Numbers
/// that came from a peer are clamped, never trusted.
public struct Scheduler: ~Copyable, Sendable {
    let configuration: Configuration
    let filter: CandidateFilter
    /// By endpoint, as the two that follow. What was learned is in them.
    var models: [EndpointModel]
    var endpoints: [EndpointState]
    let costs: [SleepCost]
    var members: [RunningSet]
    var requests = RequestTable()
    var queue: AdmissionQueue
    var precedence: ClassPrecedence
    var deadlines = DeadlineHeap()
    var router: Router
    var shadow: ShadowRouter?
    var statistics: TokenStatistics
    /// By model and tenant; the last of each model is for everybody who is not listed.
    var governors: [AttainmentGovernor]
    /// By model: what was asked for so far.
    var demands: [Demand]
    /// Endpoints that are not awake.
    var sleepers = 0
    /// Taken back from the way to sleep within this event.
    var recalled: [Int] = []
    /// When those who wait by choice look again; `nil` if nobody does.
    var patienceWake: MonotonicTime?
    /// When bulk that waits looks again; `nil` if none waits.
    var fillerWake: MonotonicTime?
    /// By model: when the last request with a promise came.
    var promisedAt: [MonotonicTime]
    var power: PowerBudget
    /// When predicted power is made anew; `nil` without a limit or without requests.
    var powerWake: MonotonicTime?
    var pace = CompletionPace()
    var affinity: Affinity
    var ledger: EnergyLedger
    var learning: EndpointLearning
    var scratchShares = WindowShares()
    /// For what is spread in time: ejections, Retry-After. Placement has its own source, so
    /// that one does not disturb the other.
    var random: RandomSource
    var isShuttingDown = false
    var arrivals: UInt64 = 0
    var ends: UInt64 = 0
    /// Kept between events so that none allocates.
    var scratchSlots: [Int] = []
    /// A value whose size is not known has to stay where it is, and with it the whole: without it a
    /// method that changes nothing gets a copy of all of these fields, two kilobytes, from one that
    /// does.
    private let anchor: any Sendable = ()

    /// `start`: the clock's present reading, from which energy counts.
    public init(configuration: Configuration, seed: UInt64, at start: MonotonicTime = .zero) {
        self.configuration = configuration
        filter = CandidateFilter(configuration)
        let models = Self.models(configuration)
        self.models = models
        endpoints = configuration.endpoints.indices.map { index in
            EndpointState(
                configuration.endpoints[index], id: EndpointID(index), model: models[index],
                configuration: configuration)
        }
        costs = configuration.endpoints.map { SleepCost($0.profile) }
        members = Array(repeating: RunningSet(), count: models.count)
        demands = Array(repeating: Demand(), count: max(configuration.modelCount, 0))
        ledger = Self.ledger(configuration, models, at: start)
        learning = EndpointLearning(ledger, models)
        queue = AdmissionQueue(
            models: configuration.modelCount, weights: configuration.tenants.map(\.weight),
            bound: configuration.limits.queuedRequests,
            bulkShare: configuration.bulkQueueShare)
        precedence = ClassPrecedence(bound: configuration.starvationBound)
        var seeds = RandomSource(seed: seed)
        router = Router(
            policy: configuration.policy, models: configuration.modelCount,
            endpoints: models.count,
            objectiveGuard: ObjectiveGuard(configuration.guardBand), seed: seeds.next())
        random = RandomSource(seed: seeds.next())
        shadow = configuration.shadowPolicy.map { policy in
            ShadowRouter(
                Router(
                    policy: policy, models: configuration.modelCount, endpoints: models.count,
                    objectiveGuard: ObjectiveGuard(configuration.guardBand), seed: seeds.next()))
        }
        affinity = Affinity(configuration)
        statistics = TokenStatistics(
            modelCount: configuration.modelCount, tenantCount: configuration.tenants.count)
        power = PowerBudget(
            idle: models.map(\.curve.idlePower),
            pools: configuration.endpoints.map(\.pool.index),
            poolCount: configuration.pools.count)
        power.set(configuration.powerLimits)
        promisedAt = Array(
            repeating: MonotonicTime(nanoseconds: .min), count: max(configuration.modelCount, 0))
        governors = Array(
            repeating: AttainmentGovernor(configuration.governor),
            count: max(configuration.modelCount, 0) * (configuration.tenants.count + 1))
    }

    /// Endpoints of equal profile and engine share one table until they learn: a decision then
    /// looks at a few tables and not at hundreds.
    private static func models(_ configuration: Configuration) -> [EndpointModel] {
        struct Kind: Hashable {
            var profile: Profile
            var engine: EngineKind
        }
        var known: [Kind: EndpointModel] = [:]
        return configuration.endpoints.map { endpoint in
            let kind = Kind(
                profile: endpoint.profile,
                engine: configuration.pools[endpoint.pool.index].engine)
            let model = known[kind] ?? EndpointModel(
                profile: kind.profile, engine: kind.engine, parameters: configuration.model)
            known[kind] = model
            return model
        }
    }

    /// Takes one event and appends what is to be done about it. Whatever fell due before `now`
    /// is handled first, whichever event comes along.
    public mutating func handle(
        _ event: Event, at now: MonotonicTime, into actions: inout [Action]
    ) {
        handleDue(at: now, into: &actions)
        switch event {
        case .arrived(let request): arrived(request, at: now, into: &actions)
        case .firstToken(let id): firstToken(id, at: now, into: &actions)
        case .progress(let tokens): progressed(tokens, at: now, into: &actions)
        case .finished(let id, let completion):
            finished(id, completion, at: now, into: &actions)
        case .attemptFailed(let id, let failure):
            attemptFailed(id, failure, at: now, into: &actions)
        case .withdrawn(let id):
            finished(id, Completion(outcome: .cancelled), at: now, into: &actions)
        case .probed(let id, let healthy):
            probed(id, healthy: healthy, at: now, into: &actions)
        case .scraped(let id, let load): scraped(id, load, at: now, into: &actions)
        case .powerStateChanged(let id, let state):
            powerStateChanged(id, state, at: now, into: &actions)
        case .planned(let plan): planned(plan, at: now, into: &actions)
        case .metered(let windows): metered(windows, at: now, into: &actions)
        case .relabelled(let id, let label): relabelled(id, label, at: now)
        case .setPolicy(let policy): router.policy = policy
        case .setEndpointState(let id, let state):
            setEndpointState(id, state, at: now, into: &actions)
        case .setPowerLimits(let limits): setPowerLimits(limits, at: now, into: &actions)
        case .drainAll: drainAll(at: now, into: &actions)
        case .deadline: break
        }
        if !recalled.isEmpty { drainRecalled(at: now, into: &actions) }
        dropStaleDeadlines()
    }

    /// When ``Event/deadline`` is to be sent, unless another event comes before; `nil`: time
    /// alone changes nothing.
    public func nextDeadline() -> MonotonicTime? { deadlines.first?.time }
}
