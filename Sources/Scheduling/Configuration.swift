import EnergyModel
import InferenceTypes

extension Scheduler {
    /// What stays fixed until a reload. Identifiers are positions in these arrays.
    public struct Configuration: Sendable {
        public struct Pool: Sendable {
            public var name: String
            public var engine: EngineKind
            public var accelerator: AcceleratorKind
            /// Models that every endpoint of the pool serves.
            public var models: [ModelID]
            /// What the pool may be asked for.
            public var tasks: [InferenceTask]

            /// `tasks`: `nil` for all that the engine knows.
            public init(
                name: String, engine: EngineKind, accelerator: AcceleratorKind,
                models: [ModelID], tasks: [InferenceTask]? = nil
            ) {
                self.name = name
                self.engine = engine
                self.accelerator = accelerator
                self.models = models
                self.tasks = tasks ?? Self.tasks(of: engine)
            }

            static func tasks(of engine: EngineKind) -> [InferenceTask] {
                switch engine {
                case .vllm, .vllmRBLN, .sglang: InferenceTask.allCases
                case .llamaServer:
                    InferenceTask.allCases.filter { $0 != .classify && $0 != .score }
                }
            }
        }

        public struct Endpoint: Sendable {
            public var pool: PoolID
            public var profile: Profile
            /// Relative capacity as the operator sees it: predicted load is divided by it.
            public var weight: Double
            /// Most sequences in flight; `nil`: what runs at once plus the waiting allowance.
            public var maxInFlight: Int?
            /// True if it can be put to sleep and woken.
            public var canSleep: Bool

            public init(
                pool: PoolID, profile: Profile, weight: Double = 1, maxInFlight: Int? = nil,
                canSleep: Bool = false
            ) {
                self.pool = pool
                self.profile = profile
                self.weight = weight
                self.maxInFlight = maxInFlight
                self.canSleep = canSleep
            }
        }

        public struct Tenant: Sendable {
            /// Pools that may see this tenant's requests; `nil`: all.
            public var allowedPools: [PoolID]?
            /// Of the engine time that its class gets while others of the class wait.
            public var weight: Double

            public init(allowedPools: [PoolID]? = nil, weight: Double = 1) {
                self.allowedPools = allowedPools
                self.weight = weight
            }
        }

        public typealias Meter = EnergyLedger.Meter

        public var pools: [Pool]
        public var endpoints: [Endpoint]
        /// By `MeterID`.
        public var meters: [Meter] = []
        /// Whether the shell is told what every window adds to every request.
        public var reportsAttribution = false
        /// Whether reading the KV cache is charged to requests by the length of their contexts.
        public var chargesContext = true
        public var modelCount: Int
        /// By `TenantID`. Empty: no tenants, everyone may use every pool. Otherwise a tenant
        /// that is not listed, the anonymous one included, may use none.
        public var tenants: [Tenant]
        public var policy: RoutingPolicy
        /// True: meters and our own streams correct the profiles.
        public var learns = false
        /// Decides beside `policy` without effect: what it would have chosen stands in each
        /// ``Placement``.
        public var shadowPolicy: RoutingPolicy?
        public var limits: Limits
        /// By rank of the service class, used where a request brings no promise of its own.
        public var objectives: [LatencyObjective]
        /// Sequences that may wait inside an engine beyond those it runs, so that the next one
        /// is at hand when one ends.
        public var waitingAllowance = 2
        public var breaker = CircuitBreaker.Configuration.defaults
        public var health = ProbeHealth.Configuration.defaults
        public var saturation = SaturationRest.Configuration.defaults
        public var slowStart = SlowStart.Configuration.defaults
        public var guardBand = ObjectiveGuard.Configuration.defaults
        public var governor = AttainmentGovernor.Configuration.defaults
        public var patience = Patience.defaults
        public var filler = FillerRule.defaults
        public var affinity = AffinityRule.defaults
        public var powerLimits = PowerLimits.none
        public var model = EndpointModel.Parameters.defaults
        /// Whether a request that nobody awake can serve in time may have an endpoint woken.
        public var wakesOnDemand = true
        /// How long an endpoint that is woken is taken to stay awake.
        public var wakeHold = TimeSpan.seconds(60)
        /// A scraped load older than this counts no more.
        public var foreignLoadLifetime = TimeSpan.seconds(15)
        /// Share of the queue that bulk requests may fill.
        public var bulkQueueShare = 0.5
        /// So many times may a waiting class be passed over before it has its turn.
        public var starvationBound = 16

        public init(
            pools: [Pool], endpoints: [Endpoint], modelCount: Int, tenants: [Tenant] = [],
            policy: RoutingPolicy = .energyAware, limits: Limits = Limits(),
            objectives: [LatencyObjective] = Configuration.defaultObjectives
        ) {
            self.pools = pools
            self.endpoints = endpoints
            self.modelCount = modelCount
            self.tenants = tenants
            self.policy = policy
            self.limits = limits
            self.objectives = objectives
        }

        /// system and interactive: first token in 1 s, then one per 60 ms; default: 2 s and
        /// 100 ms; bulk: no promise.
        public static let defaultObjectives: [LatencyObjective] = [
            LatencyObjective(
                timeToFirstToken: .seconds(1), interTokenLatency: .milliseconds(60)),
            LatencyObjective(
                timeToFirstToken: .seconds(1), interTokenLatency: .milliseconds(60)),
            LatencyObjective(
                timeToFirstToken: .seconds(2), interTokenLatency: .milliseconds(100)),
            LatencyObjective(),
        ]
    }
}
