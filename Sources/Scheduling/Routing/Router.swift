import EnergyModel
import InferenceTypes

/// Scores the endpoints that passed the filters and picks one. Equal scores go to the lower
/// index. Loads are read at the moment of the pick, and a placement counts from the next pick
/// on, so that arrivals of the same instant see each other.
struct Router: Sendable {
    /// What there is to place.
    struct Demand: Sendable {
        var size: RequestSize
        var model: ModelID
        var objective: LatencyObjective
        /// 0 to 1, of the model's ``AttainmentGovernor``.
        var strictness: Double
        /// 0 to 1: how near a power limit is.
        var pressure = 0.0
        /// What `consistent_hash` goes by: session, beginning of the prompt, or the request.
        var key: UInt64 = 0
    }

    struct Pick: Sendable {
        var endpoint: Int
        var reason: Placement.Reason
        var estimate: Estimate
        /// Another endpoint would do it for much less, if only its promises allowed it: that may
        /// be so in a moment. Or all are late, and the least late one is an NPU, whose sequences
        /// stand still for each prompt: prompts are paced there as far as their own promise goes.
        var isWorthWaiting = false
    }

    var policy: RoutingPolicy
    /// Indices of endpoints that passed the filters, ascending: filled before each pick and
    /// kept, so that a pick allocates nothing.
    var eligible: [Int] = []
    /// By endpoint: tokens of the prompt that it is expected to find in its cache. Holds for the
    /// eligible ones, and only if `recalls`.
    var cached: [Int]
    var recalls = false
    /// By endpoint, while a pick looks at them.
    var energies: [Double]
    private var random: RandomSource
    /// By model: the endpoint that comes next in turn.
    private var cursors: [Int]
    let objectiveGuard: ObjectiveGuard

    init(
        policy: RoutingPolicy, models: Int, endpoints: Int, objectiveGuard: ObjectiveGuard,
        seed: UInt64
    ) {
        self.policy = policy
        cached = Array(repeating: 0, count: endpoints)
        energies = Array(repeating: 0, count: endpoints)
        self.objectiveGuard = objectiveGuard
        random = RandomSource(seed: seed)
        cursors = Array(repeating: 0, count: max(models, 0))
    }

    /// Makes those of `all` eligible that are in order and have room.
    mutating func consider(
        _ all: [Int], _ endpoints: [EndpointState], sequences: Int, at now: MonotonicTime
    ) {
        eligible.removeAll(keepingCapacity: true)
        endpoints.withUnsafeBufferPointer { states in
            for index in all
            where states[index].isUsable(at: now)
                && states[index].hasRoom(for: sequences, at: now)
            {
                eligible.append(index)
            }
        }
    }

    /// `nil` if nobody is eligible.
    mutating func pick(
        _ demand: Demand, among endpoints: [EndpointState], _ models: [EndpointModel],
        at now: MonotonicTime
    ) -> Pick? {
        guard let first = eligible.first else { return nil }
        if eligible.count == 1 {
            var only = pick(first, .onlyCandidate, demand, endpoints, models, now)
            if policy == .energyAware {
                only.isWorthWaiting =
                    endpoints[first].prefillRule == .exclusive
                    && lateness(of: only, demand, endpoints) > 0
            }
            return only
        }
        switch policy {
        case .roundRobin:
            return pick(nextInTurn(demand.model), .roundRobin, demand, endpoints, models, now)
        case .random:
            let index = eligible[random.nextIndex(below: eligible.count)]
            return pick(index, .random, demand, endpoints, models, now)
        case .powerOfTwo:
            return pick(lesserOfTwo(endpoints, now), .powerOfTwo, demand, endpoints, models, now)
        case .leastRequests:
            return pick(
                shortestQueue(endpoints), .leastRequests, demand, endpoints, models, now)
        case .leastLoad:
            return pick(leastLoaded(endpoints, now), .leastLoad, demand, endpoints, models, now)
        case .leastLatency:
            return leastLatency(demand, endpoints, models, now)
        case .energyAware:
            return leastEnergy(demand, endpoints, models, now)
        case .cacheAware:
            let (index, reason) = mostCached(demand, endpoints)
            return pick(index, reason, demand, endpoints, models, now)
        case .consistentHash:
            return pick(
                hashed(demand, endpoints), .consistentHash, demand, endpoints, models, now)
        }
    }

    /// The request as this endpoint would see it: what it has cached needs no prefill.
    @inline(__always)
    func size(of demand: Demand, on index: Int) -> RequestSize {
        guard recalls else { return demand.size }
        var size = demand.size
        size.cachedInputTokens = min(cached[index], size.inputTokens)
        return size
    }

    func pick(
        _ index: Int, _ reason: Placement.Reason, _ demand: Demand,
        _ endpoints: [EndpointState], _ models: [EndpointModel], _ now: MonotonicTime
    ) -> Pick {
        Pick(
            endpoint: index, reason: reason,
            estimate: estimate(index, demand, endpoints, models, now))
    }

    private func estimate(
        _ index: Int, _ demand: Demand, _ endpoints: [EndpointState], _ models: [EndpointModel],
        _ now: MonotonicTime
    ) -> Estimate {
        let size = size(of: demand, on: index)
        let load = endpoints[index].load(at: now)
        // Inlined, since a call would copy the model.
        if size.generates { return models[index].generationEstimate(size, on: load) }
        return models[index].estimate(size, on: load)
    }

    /// The first eligible endpoint from the cursor on, round the end.
    private mutating func nextInTurn(_ model: ModelID) -> Int {
        let cursor = cursors.indices.contains(model.index) ? cursors[model.index] : 0
        let index = eligible.first { $0 >= cursor } ?? eligible[0]
        if cursors.indices.contains(model.index) { cursors[model.index] = index + 1 }
        return index
    }

    private mutating func lesserOfTwo(
        _ endpoints: [EndpointState], _ now: MonotonicTime
    ) -> Int {
        let one = random.nextIndex(below: eligible.count)
        var other = random.nextIndex(below: eligible.count - 1)
        if other >= one { other += 1 }
        let low = eligible[min(one, other)]
        let high = eligible[max(one, other)]
        return endpoints[high].work(at: now) < endpoints[low].work(at: now) ? high : low
    }

    func shortestQueue(_ endpoints: [EndpointState]) -> Int {
        var best = eligible[0]
        var least = Double.infinity
        for index in eligible {
            let queue = Double(endpoints[index].running.count) / endpoints[index].weight
            if queue < least {
                least = queue
                best = index
            }
        }
        return best
    }

    private func leastLoaded(_ endpoints: [EndpointState], _ now: MonotonicTime) -> Int {
        var best = eligible[0]
        var least = Double.infinity
        for index in eligible {
            let work = endpoints[index].work(at: now)
            if work < least {
                least = work
                best = index
            }
        }
        return best
    }

    private func leastLatency(
        _ demand: Demand, _ endpoints: [EndpointState], _ models: [EndpointModel],
        _ now: MonotonicTime
    ) -> Pick {
        var best = pick(eligible[0], .leastLatency, demand, endpoints, models, now)
        for index in eligible.dropFirst() {
            let other = pick(index, .leastLatency, demand, endpoints, models, now)
            if other.estimate.duration < best.estimate.duration { best = other }
        }
        return best
    }

    /// Below this a wait costs more in latency than it can save: 1.5 while there is power enough,
    /// falling to 1 at the limit, where a joule that is not spent lets somebody else run.
    static func worthwhileRatio(pressure: Double) -> Double { 1.5 - 0.5 * pressure }

    func lateness(
        of pick: Pick, _ demand: Demand, _ endpoints: [EndpointState]
    ) -> Double {
        lateness(
            of: pick.estimate, demand,
            toThoseRunning: endpoints[pick.endpoint].running.tightestObjective)
    }

    @inline(__always)
    func lateness(of estimate: Estimate, _ demand: Demand, toThoseRunning: TimeSpan?) -> Double {
        lateness(of: estimate.times, demand, toThoseRunning: toThoseRunning)
    }

    @inline(__always)
    func lateness(
        of times: EndpointModel.Times, _ demand: Demand, toThoseRunning: TimeSpan?
    ) -> Double {
        objectiveGuard.lateness(
            of: times, promised: demand.objective, toThoseRunning: toThoseRunning,
            outputTokens: demand.size.outputTokens, strictness: demand.strictness)
    }
}
