import InferenceTypes

/// What one meter teaches of the endpoints that it sees: one filter over all of their parameters
/// together, so that joules which only one of them can explain are laid to that one.
///
/// An endpoint with several meters is learned in parts: each meter begins with an equal share of
/// its prior, and the endpoint is the sum of its parts.
///
/// Idle power is learned from windows in which every endpoint was quiet, and only from them: as
/// long as something runs, idle power and the first sequence's cannot be told apart.
struct MeterLearner: Sendable {
    /// More endpoints behind one meter are not learned: the filter grows with their square.
    static let mostEndpoints = 16
    /// Clock settings that are remembered. The oldest gives way.
    static let mostLabels = 4
    /// Standard deviation of a window, of its reading, and in joules at least.
    static let deviation = 0.03
    static let leastDeviation = 0.05

    let endpoints: [Int]
    let shares: [Double]
    private var labels: [UInt64] = [0]
    private var filters: [BoundedFilter]
    private var current = 0
    private var regressors: [Double]
    /// By position: seconds of work and iterations of the last windows, each new one weighing a
    /// tenth.
    private var busySeconds: [Double]
    private var iterations: [Double]
    /// Joules foretold for the last window, before it was learned from.
    private(set) var prediction: Double?

    init(endpoints: [Int], shares: [Double]) {
        self.endpoints = endpoints
        self.shares = shares
        let count = endpoints.count * EnergyPrior.width
        filters = [
            BoundedFilter(
                count: endpoints.count > Self.mostEndpoints ? 0 : count,
                correlation: EnergyPrior.correlation)
        ]
        regressors = Array(repeating: 0, count: count)
        busySeconds = Array(repeating: 0, count: endpoints.count)
        iterations = busySeconds
    }

    var filter: BoundedFilter { filters[current] }
    var learns: Bool { filters[current].count > 0 }
    /// Windows that were learned from under the present label.
    var windows: Int { filters[current].readings }

    /// Clocks or power limits have changed: another curve holds. One that was seen before is taken
    /// up where it was left, a new one begins with what the last one knew and the prior's doubt.
    mutating func select(label: UInt64) {
        if let known = labels.firstIndex(of: label) {
            current = known
            return
        }
        let fresh = filters[current].doubting()
        if labels.count >= Self.mostLabels {
            labels.removeFirst()
            filters.removeFirst()
        }
        labels.append(label)
        filters.append(fresh)
        current = labels.count - 1
    }

    /// - Parameter activities: by position in ``endpoints``, over the window.
    /// - Parameter isLearning: false: only foretells.
    @discardableResult
    mutating func take(
        _ energy: Joules, _ activities: [EndpointActivity], span: TimeSpan, priors: [EnergyPrior],
        isLearning: Bool
    ) -> BoundedFilter.Verdict {
        prediction = nil
        guard learns, activities.count == endpoints.count, span >= .milliseconds(200) else {
            return .refused
        }
        var isQuiet = true
        for (position, activity) in activities.enumerated() {
            // Work of another time than the reading explains nothing.
            let off = (activity.span - span).seconds.magnitude
            guard off <= 0.5 + 0.1 * span.seconds else { return .refused }
            priors[endpoints[position]].fill(
                activity, share: shares[position], into: &regressors,
                at: position * EnergyPrior.width)
            isQuiet = isQuiet && activity.isQuiet
            note(activity, at: position)
        }
        prediction = filters[current].prediction(regressors)
        guard isLearning else { return .refused }
        for position in endpoints.indices {
            filters[current].hold(
                position * EnergyPrior.width + EnergyPrior.idleIndex, !isQuiet)
        }
        let deviation = max(Self.deviation * energy.value, Self.leastDeviation)
        let before = isQuiet ? idle : nil
        let verdict = filters[current].update(
            regressors, reading: energy.value, deviation: deviation, seconds: span.seconds)
        if let before { reconsider(before, priors) }
        return verdict
    }

    private mutating func note(_ activity: EndpointActivity, at position: Int) {
        let count = activity.iterations.reduce(0, +)
        guard count > 0 else { return }
        let seconds = max((activity.span - activity.idle).seconds, 0)
        let weight = iterations[position] > 0 ? 0.1 : 1
        busySeconds[position] += weight * (seconds - busySeconds[position])
        iterations[position] += weight * (count - iterations[position])
    }

    /// By position: the multiplier of idle power.
    private var idle: [Double] {
        endpoints.indices.map {
            filters[current].state[$0 * EnergyPrior.width + EnergyPrior.idleIndex]
        }
    }

    /// What was learned while idle power was taken for something else is wrong by as much: with
    /// work in it the power was seen, and only its parts were not. What idle power gains the step
    /// loses, `E*(1) -= dP0 tau`, and some doubt comes back.
    ///
    /// Worked: 120 W are found where 240 W were believed, steps of 10 ms: E*(1) gains 1.2 J.
    private mutating func reconsider(_ before: [Double], _ priors: [EnergyPrior]) {
        for position in endpoints.indices where iterations[position] > 0 {
            let offset = position * EnergyPrior.width
            let index = offset + EnergyPrior.idleIndex
            let moved = filters[current].state[index] - before[position]
            guard moved != 0 else { continue }
            let prior = priors[endpoints[position]]
            let joules =
                moved * prior.idleWatts * busySeconds[position] / iterations[position]
            filters[current].shift(offset, by: -joules / max(prior.energy(1), 1e-9))
            if moved.magnitude > 0.02 { filters[current].doubt(moved * moved, except: index) }
        }
    }
}
