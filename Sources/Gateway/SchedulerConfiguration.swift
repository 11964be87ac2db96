import Configuration
import InferenceAPI
import InferenceTypes
import Scheduling

extension Scheduler.Configuration {
    /// What the scheduler needs of the configuration file.
    init(_ configuration: GatewayConfiguration) {
        let pools = configuration.pools.map { pool in
            Pool(
                name: pool.name, engine: pool.engine, accelerator: pool.accelerator,
                models: pool.models.map(\.model))
        }
        var endpoints: [Endpoint] = []
        for (index, pool) in configuration.pools.enumerated() {
            endpoints += pool.endpoints.map {
                Endpoint(pool: PoolID(index), profile: pool.profile, maxInFlight: $0.maxInFlight,
                    canSleep: pool.sleepIsEnabled)
            }
        }
        let tenants = configuration.tenants.map {
            Tenant(allowedPools: $0.pools, weight: $0.weight)
        }
        let objectives = zip(ServiceClass.allCases, Self.defaultObjectives).map { rank, standard in
            let own = configuration.objectives[rank]
            return LatencyObjective(
                timeToFirstToken: own.timeToFirstToken ?? standard.timeToFirstToken,
                interTokenLatency: own.interTokenLatency ?? standard.interTokenLatency)
        }
        self.init(
            pools: pools, endpoints: endpoints, modelCount: configuration.models.count,
            tenants: tenants, policy: configuration.policy, limits: configuration.limits,
            objectives: objectives)
        powerLimits = configuration.powerLimits
        shadowPolicy = configuration.shadowPolicy
        meters = Self.meters(of: configuration)
        learns = configuration.learns
        affinity.isOn = configuration.affinity.isOn
        affinity.memory = configuration.affinity.memory
        affinity.tokensPerEndpoint = configuration.affinity.tokensPerEndpoint
    }

    /// The meters, with the endpoints that name them.
    private static func meters(of configuration: GatewayConfiguration) -> [Meter] {
        let endpoints = configuration.pools.flatMap(\.endpoints)
        return configuration.meters.indices.map { index in
            let seen = endpoints.indices.filter {
                endpoints[$0].meters.contains(MeterID(index))
            }
            let meter = configuration.meters[index]
            return Meter(
                name: meter.name, endpoints: seen.map { EndpointID($0) }, scope: meter.scope)
        }
    }
}

extension GatewayConfiguration {
    var powerLimits: PowerLimits {
        PowerLimits(
            site: site.totalPowerLimit, pools: pools.map(\.powerLimit), pue: site.pue,
            share: site.powerShare)
    }
}

extension APIError {
    /// What a client is told of a rejection: whose fault it is, and when to come back.
    init(_ rejection: Rejection) {
        let seconds = rejection.retryAfterSeconds
        switch rejection.reason {
        case .saturated: self = .queueFull(retryAfterSeconds: seconds)
        case .noEndpoints: self = .noEndpoints(retryAfterSeconds: seconds)
        case .ttlExpired: self = .queueTimeout(retryAfterSeconds: seconds)
        case .shuttingDown: self = .draining
        case .powerBudget: self = .powerBudget(retryAfterSeconds: seconds)
        case .upstreamFailed:
            if case .timeout = rejection.lastFailure {
                self = .upstreamTimeout
            } else {
                self = .upstreamFailed
            }
        }
    }
}

extension Placement {
    /// For the eyes of an admin: why this endpoint.
    var explanation: String {
        let joules = (estimate.marginalEnergy.value * 1000).rounded() / 1000
        let firstToken = estimate.timeToFirstToken.milliseconds.rounded()
        let gap = (estimate.interTokenLatency.milliseconds * 10).rounded() / 10
        return "\(reason.rawValue); candidates=\(candidates); attempt=\(attempt); "
            + "joules=\(joules) (\(estimate.provenance.rawValue)); ttft_ms=\(firstToken); "
            + "itl_ms=\(gap); input_tokens=\(inputTokens); cached_tokens=\(cachedInputTokens); "
            + "output_tokens=\(outputTokens)"
    }
}
