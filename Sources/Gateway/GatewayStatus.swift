import Configuration
import InferenceTypes
import Scheduling
import Transport

/// The gateway's figures at one moment: sums since the start, and the watts of the last readings.
public struct GatewayStatus: Sendable {
    public struct Pool: Sendable {
        public var name: String
        public var requests: Int
        public var outputTokens: Int
        public var inFlight: Int
        public var endpoints: Int
        /// Endpoints that may be sent requests.
        public var usable: Int
        public var predictedEnergy: Joules
        /// Sum over the pool's meters of one scope; `nil` if none of them speaks.
        public var power: Watts?
        /// The weakest word that holds for all of its meters.
        public var provenance: Provenance
        public var meteredEnergy: Joules?
    }

    public var policy: RoutingPolicy
    public var requests: Int
    public var errors: Int
    public var inFlight: Int
    public var queued: Int
    public var isDraining: Bool
    public var pools: [Pool]
}

extension Gateway {
    /// Any thread; takes the scheduler's lock for a moment.
    public func status() -> GatewayStatus {
        let snapshot = scheduler.snapshot(at: MonotonicClock.now())
        let readings = power.latest()
        let pools = configuration.pools.enumerated().map { index, pool in
            let endpoints = snapshot.endpoints.filter { $0.pool == PoolID(index) }
            var meters: [MeterID] = []
            for meter in pool.endpoints.flatMap(\.meters) where !meters.contains(meter) {
                meters.append(meter)
            }
            // Watts of unlike scopes are never added: those of the first meter's scope count.
            let scope = meters.first.map { configuration.meters[$0.index].scope }
            meters.removeAll { configuration.meters[$0.index].scope != scope }
            let live = meters.compactMap { readings[$0.index] }
            return GatewayStatus.Pool(
                name: pool.name, requests: totals.requests(pool: index),
                outputTokens: totals.outputTokens(pool: index),
                inFlight: endpoints.reduce(0) { $0 + $1.inFlight }, endpoints: endpoints.count,
                usable: endpoints.filter(\.condition.takesRequests).count,
                predictedEnergy: endpoints.reduce(.zero) { $0 + $1.predictedEnergy },
                power: live.isEmpty ? nil : live.reduce(.zero) { $0 + ($1.power ?? .zero) },
                provenance: meters.reduce(.measured) {
                    $0.combined(with: configuration.meters[$1.index].provenance)
                },
                meteredEnergy: live.isEmpty ? nil : live.reduce(.zero) { $0 + $1.energy })
        }
        return GatewayStatus(
            policy: snapshot.policy, requests: totals.requests, errors: totals.errors,
            inFlight: snapshot.requests,
            queued: snapshot.queueDepths.reduce(0) { $0 + $1.waiting }, isDraining: isDraining,
            pools: pools)
    }

    /// Changes the routing policy from the next request on.
    public func setPolicy(_ policy: RoutingPolicy) {
        control.post { ($0.context as? ControlPlane)?.submit(.setPolicy(policy)) }
    }
}
