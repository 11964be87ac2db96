import InferenceTypes

/// What all meters together teach of all endpoints.
public struct EnergyLearner: Sendable {
    /// What was learned of one endpoint, as multipliers of its prior.
    struct Figures: Sendable {
        /// By rise of the curve.
        var rises = Array(repeating: 1.0, count: EnergyPrior.rises)
        /// By rise: relative standard deviation of `E*` at its end.
        var deviations = Array(repeating: 0.5, count: EnergyPrior.rises)
        var prefill = 1.0
        var prefillDeviation = 0.5
        var cache = 1.0
        var idle = 1.0
        /// Windows of the meter that saw least.
        var windows = 0
    }

    /// By endpoint.
    let priors: [EnergyPrior]
    private var meters: [MeterLearner]
    /// By endpoint: meters that see it, and its position there.
    private let views: [[(meter: Int, position: Int)]]
    /// By endpoint: its clock label.
    private var labels: [UInt64]
    private var figures: [Figures]
    /// Windows that were no good, by what their verdict was.
    public private(set) var refused = 0
    public private(set) var outliers = 0

    /// Below so many windows nothing is said to be measured.
    static let fewestWindows = 5
    /// Above this relative standard deviation neither.
    static let measuredDeviation = 0.1

    /// With the portions of each endpoint that the ledger gives its meters.
    public init(_ ledger: EnergyLedger, models: [EndpointModel]) {
        self.init(meters: ledger.meters, models: models, portions: ledger.portions)
    }

    /// `portions`: by meter and position in its endpoints, the part of the endpoint that it sees;
    /// `nil`: equal parts.
    init(meters: [EnergyLedger.Meter], models: [EndpointModel], portions: [[Double]]? = nil) {
        priors = models.map { EnergyPrior($0) }
        var views: [[(meter: Int, position: Int)]] = Array(repeating: [], count: models.count)
        for (meter, description) in meters.enumerated() {
            for (position, endpoint) in description.endpoints.enumerated()
            where portions?[meter][position] != 0 && views.indices.contains(endpoint.index) {
                views[endpoint.index].append((meter, position))
            }
        }
        self.views = views
        self.meters = meters.enumerated().map { index, meter in
            let endpoints = meter.endpoints.map(\.index)
            let equal = endpoints.map { 1 / Double(max(views[$0].count, 1)) }
            return MeterLearner(endpoints: endpoints, shares: portions?[index] ?? equal)
        }
        labels = Array(repeating: 0, count: models.count)
        figures = Array(repeating: Figures(), count: models.count)
    }

    /// Takes one window in. Returns the endpoints of which more is known now.
    ///
    /// - Parameter activities: by position in the meter's endpoints.
    public mutating func learn(
        from window: MeterWindow, _ activities: [EndpointActivity], isLearning: Bool = true
    ) -> [Int] {
        let index = window.meter.index
        guard meters.indices.contains(index), window.kind == .metered else { return [] }
        let verdict = meters[index].take(
            window.energy.joules, activities, span: window.span, priors: priors,
            isLearning: isLearning && window.isMeasured)
        switch verdict {
        case .refused:
            if isLearning { refused += 1 }
            return []
        case .outlier: outliers += 1
        case .learned: break
        }
        for endpoint in meters[index].endpoints { summarise(endpoint) }
        return meters[index].endpoints
    }

    /// What was foretold for the meter's last window, before it was learned from.
    public func prediction(of meter: MeterID) -> Joules? {
        guard meters.indices.contains(meter.index) else { return nil }
        return meters[meter.index].prediction.map { Joules($0) }
    }

    /// The endpoint runs at other clocks or under another power limit from now on: whatever
    /// `label` stands for, equal labels mean equal curves. Returns endpoints that read differently.
    public mutating func select(label: UInt64, of endpoint: Int) -> [Int] {
        guard labels.indices.contains(endpoint), labels[endpoint] != label else { return [] }
        labels[endpoint] = label
        var changed: [Int] = []
        for view in views[endpoint] {
            // Of several endpoints the meter sees the combination.
            var combined: UInt64 = 0
            for other in meters[view.meter].endpoints {
                combined = combined &* 0x9E37_79B9_7F4A_7C15 &+ labels[other]
            }
            meters[view.meter].select(label: combined)
            changed += meters[view.meter].endpoints
        }
        for other in changed { summarise(other) }
        return changed
    }

    func figures(of endpoint: Int) -> Figures { figures[endpoint] }

    private mutating func summarise(_ endpoint: Int) {
        var result = Figures(
            rises: [Double](repeating: 0, count: EnergyPrior.rises),
            deviations: figures[endpoint].deviations)
        guard !views[endpoint].isEmpty else { return }
        let prior = priors[endpoint]
        result.prefill = 0
        result.cache = 0
        result.idle = 0
        result.windows = .max
        var variances = [Double](repeating: 0, count: EnergyPrior.rises)
        var prefillVariance = 0.0
        for view in views[endpoint] {
            let filter = meters[view.meter].filter
            let share = meters[view.meter].shares[view.position]
            let offset = view.position * EnergyPrior.width
            result.windows = min(result.windows, meters[view.meter].windows)
            guard filter.count >= offset + EnergyPrior.width else {
                for rise in 0..<EnergyPrior.rises { result.rises[rise] += share }
                result.prefill += share
                result.cache += share
                result.idle += share
                continue
            }
            for rise in 0..<EnergyPrior.rises {
                result.rises[rise] += share * filter.state[offset + rise]
            }
            let prefill = offset + EnergyPrior.prefillIndex
            result.prefill += share * filter.state[prefill]
            result.cache += share * filter.state[offset + EnergyPrior.cacheIndex]
            result.idle += share * filter.state[offset + EnergyPrior.idleIndex]
            prefillVariance +=
                share * share * filter.covariance[prefill * filter.count + prefill]
            add(&variances, of: filter, at: offset, prior, share: share)
        }
        var energy = 0.0
        var low = 0
        for (rise, end) in prior.ends.enumerated() {
            energy += result.rises[rise] * (prior.energy(end) - prior.energy(low))
            low = end
            result.deviations[rise] =
                energy > 0 ? (max(variances[rise], 0)).squareRoot() / energy : 0.5
        }
        result.prefillDeviation =
            prefillVariance.squareRoot() / max(result.prefill, 0.1)
        figures[endpoint] = result
    }

    /// Adds the variance of `E*` at the end of each rise, J^2.
    private func add(
        _ variances: inout [Double], of filter: BoundedFilter, at offset: Int,
        _ prior: EnergyPrior, share: Double
    ) {
        var sum = 0.0
        var low = 0
        var weights: [Double] = []
        for (rise, end) in prior.ends.enumerated() {
            let weight = share * (prior.energy(end) - prior.energy(low))
            low = end
            weights.append(weight)
            for other in 0...rise {
                let covariance = filter.covariance[
                    (offset + rise) * filter.count + offset + other]
                sum += (other == rise ? 1 : 2) * weight * weights[other] * covariance
            }
            variances[rise] += sum
        }
    }
}
