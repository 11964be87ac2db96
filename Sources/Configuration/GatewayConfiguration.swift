import InferenceTypes

/// Everything the gateway is told at start and on reload. Names are resolved: pools, endpoints,
/// meters, models and tenants are known by their position in these lists.
public struct GatewayConfiguration: Hashable, Sendable {
    public var listeners: [Listener] = [Listener()]
    public var admin = Admin()
    public var site = Site()
    /// By ``MeterID``.
    public var meters: [Meter] = []
    /// By ``PoolID``.
    public var pools: [Pool] = []
    /// By ``ModelID``.
    public var models: [Model] = []
    public var objectives = ClassObjectives()
    /// By ``TenantID``. Empty: no keys are asked for, everyone is ``TenantID/anonymous``.
    public var tenants: [Tenant] = []
    public var policy = RoutingPolicy.energyAware
    /// Decides beside `policy` without effect, to report what it would have chosen.
    public var shadowPolicy: RoutingPolicy?
    /// True: what meters and our own streams show corrects the profiles.
    public var learns = true
    public var affinity = Affinity()
    public var planner = PlannerRule()
    public var limits = Limits()
    public var probes = Probes()
    public var scrapes = Scrapes()
    public var journal = Journal()
    /// Reactor threads; 0: one per core.
    public var threads = 0
    public var logLevel = LogLevel.info
    /// Members of a request body that only tenants with `allow_restricted_fields` may send.
    public var deniedFields = ["chat_template", "kv_transfer_params", "vllm_xargs"]
    /// As written in the file; nil: the `profiles` folder beside it, then `Config/profiles`.
    public var profilesDirectory: String?

    public init() {}

    /// All endpoints in the order of ``EndpointID``: pool by pool.
    public var endpoints: [(pool: PoolID, endpoint: Endpoint)] {
        pools.enumerated().flatMap { index, pool in
            pool.endpoints.map { (PoolID(index), $0) }
        }
    }

    /// The model that clients mean by `name`: its own name or one of its aliases.
    public func model(named name: String) -> ModelID? {
        models.firstIndex { $0.name == name || $0.aliases.contains(name) }.map { ModelID($0) }
    }
}

/// How much is logged. The words are swift-log's.
public enum LogLevel: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical
}
