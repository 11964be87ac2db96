import EmulatedEngine
import InferenceTypes
import Scheduling

/// The endpoints of a simulation: what the scheduler believes of each, and how it truly behaves.
public struct SimulatedFleet: Sendable {
    public struct Pool: Sendable {
        public var name: String
        public var engine: EngineKind
        public var accelerator: AcceleratorKind
        /// What the scheduler is told.
        public var profile: Profile
        /// What is true; the same in reference physics.
        public var truth: Profile
        public var options: EngineOptions
        public var count: Int
        public var models: [ModelID]

        public init(
            name: String, engine: EngineKind, profile: Profile, truth: Profile? = nil,
            options: EngineOptions = EngineOptions(), count: Int, models: [ModelID] = [ModelID(0)]
        ) {
            self.name = name
            self.engine = engine
            switch engine {
            case .vllm, .sglang: accelerator = .gpu
            case .vllmRBLN: accelerator = .npu
            case .llamaServer: accelerator = .cpu
            }
            self.profile = profile
            self.truth = truth ?? profile
            self.options = options
            self.options.reporting = .firstToken
            self.count = max(count, 0)
            self.models = models
        }
    }

    public var pools: [Pool]

    public init(pools: [Pool]) { self.pools = pools }

    public var endpointCount: Int { pools.reduce(0) { $0 + $1.count } }

    /// By endpoint.
    public var poolIndices: [Int] {
        pools.indices.flatMap { Array(repeating: $0, count: pools[$0].count) }
    }

    /// What the scheduler is given.
    public func configuration(
        models: Int, tenants: Int = 0, policy: RoutingPolicy, limits: Limits = Limits()
    ) -> Scheduler.Configuration {
        let endpoints = poolIndices.map { index in
            Scheduler.Configuration.Endpoint(pool: PoolID(index), profile: pools[index].profile)
        }
        var configuration = Scheduler.Configuration(
            pools: pools.map {
                Scheduler.Configuration.Pool(
                    name: $0.name, engine: $0.engine, accelerator: $0.accelerator,
                    models: $0.models)
            },
            endpoints: endpoints, modelCount: models,
            tenants: Array(repeating: Scheduler.Configuration.Tenant(), count: tenants),
            policy: policy, limits: limits)
        configuration.meters = meters
        // The emulated engines read their caches for nothing.
        configuration.chargesContext = false
        return configuration
    }

    /// One of its own for each endpoint.
    private var meters: [Scheduler.Configuration.Meter] {
        poolIndices.enumerated().map { endpoint, pool in
            Scheduler.Configuration.Meter(
                name: "\(pools[pool].name)-\(endpoint)", endpoints: [EndpointID(endpoint)],
                scope: pools[pool].profile.meterScope)
        }
    }

    /// The truth, switched on at time zero.
    func engines(random: inout RandomSource) -> [EmulatedEngine] {
        poolIndices.map { index in
            EmulatedEngine(
                profile: pools[index].truth, kind: pools[index].engine, seed: random.next(),
                options: pools[index].options)
        }
    }

    /// Power with every endpoint idle.
    var idlePower: Watts {
        pools.reduce(.zero) { sum, pool in
            sum + Watts(
                pool.truth.idlePower.value * pool.options.powerFactor * Double(pool.count))
        }
    }
}
