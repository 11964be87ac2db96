import EnergyModel
import InferenceTypes

/// The slow half of scheduling: every few seconds it says which endpoints should be awake. The
/// router then packs requests onto those.
///
/// Awake is what carries the expected load, with what 95 % of the bursts need on top, at the
/// fewest watts by ``FluidLoad``; at least one endpoint for each model that is asked for. Others
/// sleep once they have not been needed for as long as their sleep must last to pay: whatever the
/// future brings, that costs at most twice what hindsight would have (the ski rental problem).
/// Where endpoints cannot sleep the same reckoning is advice.
///
/// A value without a clock: the shell runs it outside the scheduler's lock and hands the plan in
/// as an event.
public struct Planner: Sendable {
    public struct Configuration: Hashable, Sendable {
        /// How often to plan.
        public var interval = TimeSpan.seconds(1)
        /// An endpoint that was woken stays awake so long.
        public var minimumOn = TimeSpan.seconds(30)
        /// An endpoint that is awake counts as needed while this much more load would need it.
        public var closingMargin = 0.08
        /// Beyond the time an endpoint takes to wake, so long ahead it looks.
        public var lookahead = TimeSpan.seconds(5)
        /// What is awake could carry so many times the expected load: a crowd must be borne for as
        /// long as others take to wake.
        public var reserve = 2.0
        public var bounds = FluidLoad.Bounds.defaults

        public init() {}
        public static let defaults = Configuration()
    }

    let configuration: Configuration
    let costs: [SleepCost]
    let canSleep: [Bool]
    private(set) var loads: [FluidLoad]
    /// By model: endpoints that serve it.
    let servers: [[Int]]
    private let horizon: TimeSpan
    private var forecasts: [ModelForecast]
    private var lastDemands: [Demand]
    private var lastAt: MonotonicTime?
    /// By endpoint: when something expected needed it last.
    private var neededAt: [MonotonicTime?]

    /// What is expected of one model.
    private struct ModelForecast: Hashable, Sendable {
        var sequences = RateForecast()
        var inputTokens = RateForecast()
        var outputTokens = RateForecast()
    }

    public init(
        _ scheduler: Scheduler.Configuration, configuration: Configuration = .defaults
    ) {
        self.configuration = configuration
        costs = scheduler.endpoints.map { SleepCost($0.profile) }
        canSleep = scheduler.endpoints.map(\.canSleep)
        loads = scheduler.endpoints.map { endpoint in
            FluidLoad(
                EndpointModel(
                    profile: endpoint.profile,
                    engine: scheduler.pools[endpoint.pool.index].engine,
                    parameters: scheduler.model),
                bounds: configuration.bounds)
        }
        let filter = CandidateFilter(scheduler)
        let models = max(scheduler.modelCount, 0)
        servers = (0..<models).map { filter.endpoints(of: ModelID($0)) }
        let slowest = costs.map(\.wakeTime).max() ?? .zero
        horizon = slowest + configuration.lookahead
        forecasts = Array(repeating: ModelForecast(), count: models)
        lastDemands = Array(repeating: Demand(), count: models)
        neededAt = Array(repeating: nil, count: costs.count)
    }

    /// Takes what was asked for since the last call and says what is to be awake from now on.
    public mutating func plan(_ input: PlanningInput, at now: MonotonicTime) -> Plan {
        guard input.endpoints.count == costs.count, input.demands.count == servers.count else {
            return Plan(awake: Array(repeating: true, count: costs.count))
        }
        if let models = input.models, models.count == costs.count {
            loads = models.map { FluidLoad($0, bounds: configuration.bounds) }
        }
        observe(input.demands, at: now)
        let expected = servers.indices.map { model in
            DemandRate(
                sequences: forecasts[model].sequences.high(in: horizon),
                inputTokens: forecasts[model].inputTokens.high(in: horizon),
                outputTokens: forecasts[model].outputTokens.high(in: horizon),
                interTokenLatency: input.demands[model].interTokenLatency)
                * configuration.reserve
        }
        let required = select(for: expected, among: input.endpoints)
        let margin = 1 + configuration.closingMargin
        let kept = select(for: expected.map { $0 * margin }, among: input.endpoints)
        var plan = Plan(awake: required, expected: expected, required: required.count { $0 })
        for index in costs.indices {
            let endpoint = input.endpoints[index]
            let isUp = endpoint.power == .awake || endpoint.power == .waking
            if required[index] || (kept[index] && isUp) || neededAt[index] == nil {
                neededAt[index] = now
            }
            if required[index] { continue }
            let drainable = drainable(index, endpoint, at: now)
            if let drainable { plan.drainable.append(drainable) }
            // Nobody wakes what is not needed; what is up stays up until its sleep pays.
            plan.awake[index] = !canSleep[index] || (isUp && drainable == nil)
        }
        return plan
    }

    private func drainable(
        _ index: Int, _ endpoint: PlanningInput.Endpoint, at now: MonotonicTime
    ) -> Plan.Drainable? {
        guard endpoint.isSound, let pays = costs[index].breakEven, let since = neededAt[index],
            now - since >= pays,
            endpoint.power != .awake || now - endpoint.since >= configuration.minimumOn
                || endpoint.since == .zero
        else { return nil }
        return Plan.Drainable(
            endpoint: EndpointID(index), since: since, saving: costs[index].saving,
            breakEven: pays)
    }

    /// Rates since the last call; the first call has nothing to compare with.
    private mutating func observe(_ demands: [Demand], at now: MonotonicTime) {
        defer {
            lastDemands = demands
            lastAt = now
        }
        guard let lastAt, now > lastAt else { return }
        let seconds = (now - lastAt).seconds
        for (model, demand) in demands.enumerated() {
            let last = lastDemands[model]
            forecasts[model].sequences.add(
                Double(demand.sequences - last.sequences) / seconds, interval: seconds)
            forecasts[model].inputTokens.add(
                Double(demand.inputTokens - last.inputTokens) / seconds, interval: seconds)
            forecasts[model].outputTokens.add(
                Double(demand.outputTokens - last.outputTokens) / seconds, interval: seconds)
        }
    }
}
