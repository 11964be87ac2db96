import EnergyModel
import InferenceTypes

extension Scheduler {
    /// The state for pages and metrics, taken at one moment.
    public struct Snapshot: Hashable, Sendable {
        public struct Endpoint: Hashable, Sendable {
            public var id: EndpointID
            public var pool: PoolID
            public var condition: EndpointCondition
            /// Our requests there.
            public var inFlight: Int
            /// Their sequences.
            public var sequences: Int
            /// Sequences, ours and foreign, beyond what the engine runs at once.
            public var waitingSequences: Int
            /// Sequences that are not ours, by the last scrape.
            public var foreignSequences: Int
            public var kvUsage: Double?
            /// Most sequences in flight.
            public var limit: Int
            /// Dispatches so far.
            public var dispatched: Int
            /// Marginal joules predicted for all of them.
            public var predictedEnergy: Joules
            /// Nothing new until it has drained, for the sake of a power limit.
            public var isHeld: Bool
            /// Predicted seconds of work accepted and not done.
            public var work: TimeSpan
        }

        public struct Depth: Hashable, Sendable {
            public var serviceClass: ServiceClass
            public var waiting: Int
        }

        public var endpoints: [Endpoint]
        /// Most urgent class first.
        public var queueDepths: [Depth]
        public var policy: RoutingPolicy
        /// Admitted and not ended, queued or running.
        public var requests: Int
        public var isShuttingDown: Bool
        /// `nil` without a power limit.
        public var power: Power?
    }

    /// What the power limits see; watts at the machines, predicted.
    public struct Power: Hashable, Sendable {
        public struct Account: Hashable, Sendable {
            /// `nil`: the site.
            public var pool: PoolID?
            public var limit: Watts
            public var predicted: Watts
            /// With nothing running.
            public var idle: Watts
        }

        public var limits: PowerLimits
        /// The site first; only those that have a limit.
        public var accounts: [Account]
        /// 0: joules cost what they cost; 1: at a limit.
        public var pressure: Double
        /// Placements put off or refused so far.
        public var refusals: UInt64
    }

    public func snapshot(at now: MonotonicTime) -> Snapshot {
        Snapshot(
            endpoints: endpoints.map { endpoint in
                let foreign = endpoint.foreign.sequences(at: now)
                let sequences = endpoint.running.sequences
                return Snapshot.Endpoint(
                    id: endpoint.id, pool: endpoint.pool,
                    condition: endpoint.condition(at: now),
                    inFlight: endpoint.running.count, sequences: sequences,
                    waitingSequences: max(
                        sequences + foreign - models[endpoint.id.index].curve.capacity, 0),
                    foreignSequences: foreign, kvUsage: endpoint.foreign.kvUsage,
                    limit: endpoint.limit, dispatched: endpoint.dispatched,
                    predictedEnergy: endpoint.predictedEnergy,
                    isHeld: power.isHeld[endpoint.id.index],
                    work: TimeSpan(seconds: endpoint.work(at: now) * endpoint.weight))
            },
            queueDepths: ServiceClass.allCases.map {
                Snapshot.Depth(serviceClass: $0, waiting: queue.depths[$0.rank])
            },
            policy: router.policy, requests: requests.count, isShuttingDown: isShuttingDown,
            power: powerSnapshot)
    }

    private var powerSnapshot: Power? {
        guard power.isOn else { return nil }
        var accounts: [Power.Account] = []
        for index in -1..<power.pools.count {
            let account = index < 0 ? power.site : power.pools[index]
            guard account.limit < .infinity else { continue }
            accounts.append(
                Power.Account(
                    pool: index < 0 ? nil : PoolID(index), limit: Watts(account.limit),
                    predicted: Watts(account.sum), idle: Watts(account.floor)))
        }
        return Power(
            limits: power.limits, accounts: accounts, pressure: power.pressure,
            refusals: power.refusals)
    }

    /// The books of energy.
    public var energy: EnergyStatement { ledger.statement }

    /// Learned bytes per input token of a model: 4 until usage was seen.
    public func bytesPerToken(of model: ModelID) -> Double {
        statistics.bytesPerToken(of: model)
    }
}
