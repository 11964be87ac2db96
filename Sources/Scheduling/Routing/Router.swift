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
    }

    struct Pick: Sendable {
        var endpoint: Int
        var reason: Placement.Reason
        var estimate: Estimate
        /// Another endpoint would do it for much less, if only its promises allowed it: that may
        /// be so in a moment.
        var isWorthWaiting = false
    }

    var policy: RoutingPolicy
    /// Indices of endpoints that passed the filters, ascending: filled before each pick and
    /// kept, so that a pick allocates nothing.
    var eligible: [Int] = []
    private var random: RandomSource
    /// By model: the endpoint that comes next in turn.
    private var cursors: [Int]
    private let objectiveGuard: ObjectiveGuard

    init(policy: RoutingPolicy, models: Int, objectiveGuard: ObjectiveGuard, seed: UInt64) {
        self.policy = policy
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
            return pick(first, .onlyCandidate, demand, endpoints, models, now)
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
        }
    }

    private func pick(
        _ index: Int, _ reason: Placement.Reason, _ demand: Demand,
        _ endpoints: [EndpointState], _ models: [EndpointModel], _ now: MonotonicTime
    ) -> Pick {
        let estimate = models[index].estimate(
            demand.size, on: endpoints[index].load(at: now))
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

    private func shortestQueue(_ endpoints: [EndpointState]) -> Int {
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
        var best = pick(eligible[0], .leastLateness, demand, endpoints, models, now)
        var bestLateness = lateness(of: best, demand, endpoints)
        var cheapest = best.estimate.marginalEnergy.value
        for index in eligible.dropFirst() {
            let other = pick(index, .leastLateness, demand, endpoints, models, now)
            let otherLateness = lateness(of: other, demand, endpoints)
            cheapest = min(cheapest, other.estimate.marginalEnergy.value)
            let better =
                otherLateness == bestLateness
                ? other.estimate.marginalEnergy < best.estimate.marginalEnergy
                : otherLateness < bestLateness
            if better {
                best = other
                bestLateness = otherLateness
            }
        }
        if bestLateness == 0 { best.reason = .leastEnergy }
        best.isWorthWaiting =
            best.estimate.marginalEnergy.value
            > cheapest * Self.worthwhileRatio(pressure: demand.pressure)
        return best
    }

    /// Below this a wait costs more in latency than it can save: 1.5 while there is power enough,
    /// falling to 1 at the limit, where a joule that is not spent lets somebody else run.
    static func worthwhileRatio(pressure: Double) -> Double { 1.5 - 0.5 * pressure }

    func lateness(
        of pick: Pick, _ demand: Demand, _ endpoints: [EndpointState]
    ) -> Double {
        objectiveGuard.lateness(
            of: pick.estimate, promised: demand.objective,
            toThoseRunning: endpoints[pick.endpoint].running.tightestObjective,
            outputTokens: demand.size.outputTokens, strictness: demand.strictness)
    }
}
