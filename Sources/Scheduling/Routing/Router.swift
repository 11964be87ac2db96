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
    private var random: RandomSource
    /// By model: the endpoint that comes next in turn.
    private var cursors: [Int]
    private let objectiveGuard: ObjectiveGuard

    init(
        policy: RoutingPolicy, models: Int, endpoints: Int, objectiveGuard: ObjectiveGuard,
        seed: UInt64
    ) {
        self.policy = policy
        cached = Array(repeating: 0, count: endpoints)
        self.objectiveGuard = objectiveGuard
        random = RandomSource(seed: seed)
        cursors = Array(repeating: 0, count: max(models, 0))
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
    func size(of demand: Demand, on index: Int) -> RequestSize {
        guard recalls else { return demand.size }
        var size = demand.size
        size.cachedInputTokens = min(cached[index], size.inputTokens)
        return size
    }

    private func pick(
        _ index: Int, _ reason: Placement.Reason, _ demand: Demand,
        _ endpoints: [EndpointState], _ models: [EndpointModel], _ now: MonotonicTime
    ) -> Pick {
        let estimate = models[index].estimate(
            size(of: demand, on: index), on: endpoints[index].load(at: now))
        return Pick(endpoint: index, reason: reason, estimate: estimate)
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

    /// Least marginal joules among those that hold every promise: the request's own and those
    /// given to the sequences already there. If none does, least predicted lateness. A pick that
    /// costs far more than the cheapest endpoint would is marked as worth waiting for.
    private func leastEnergy(
        _ demand: Demand, _ endpoints: [EndpointState], _ models: [EndpointModel],
        _ now: MonotonicTime
    ) -> Pick {
        let best = cheapest(demand, endpoints, models, now)
        let reason: Placement.Reason = best.lateness == 0 ? .leastEnergy : .leastLateness
        var pick = pick(best.index, reason, demand, endpoints, models, now)
        pick.isWorthWaiting =
            best.energy > best.least * Self.worthwhileRatio(pressure: demand.pressure)
            || (best.lateness > 0 && endpoints[best.index].prefillRule == .exclusive)
        return pick
    }

    /// `least`: the joules of whoever would do it for least, promises aside.
    private func cheapest(
        _ demand: Demand, _ endpoints: [EndpointState], _ models: [EndpointModel],
        _ now: MonotonicTime
    ) -> (index: Int, lateness: Double, energy: Double, least: Double) {
        var best = (
            index: eligible[0], lateness: Double.infinity, energy: Double.infinity,
            least: Double.infinity
        )
        let bound = min(endpoints.count, models.count)
        // Through pointers, which look at things where they lie: an array's element is copied for
        // a call, and copies were a third of a decision.
        endpoints.withUnsafeBufferPointer { states in
            models.withUnsafeBufferPointer { costs in
                guard let states = states.baseAddress, let costs = costs.baseAddress else { return }
                for index in eligible {
                    precondition((0..<bound).contains(index))
                    let estimate = costs[index].estimate(
                        size(of: demand, on: index), on: states[index].load(at: now))
                    let late = lateness(
                        of: estimate, demand,
                        toThoseRunning: states[index].running.tightestObjective)
                    let energy = estimate.marginalEnergy.value
                    best.least = min(best.least, energy)
                    let isBetter =
                        late == best.lateness ? energy < best.energy : late < best.lateness
                    if isBetter { (best.index, best.lateness, best.energy) = (index, late, energy) }
                }
            }
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

    func lateness(of estimate: Estimate, _ demand: Demand, toThoseRunning: TimeSpan?) -> Double {
        objectiveGuard.lateness(
            of: estimate, promised: demand.objective, toThoseRunning: toThoseRunning,
            outputTokens: demand.size.outputTokens, strictness: demand.strictness)
    }
}
