import EnergyModel
import InferenceTypes

/// One endpoint under a steady stream of requests, as a fluid: no bursts, no queue.
///
/// With `p` input and `d` output tokens per second, prefill takes the share `rho = p / R` of the
/// time, and the batch settles where it brings forth what is asked for:
///
///     B / tau(B) (1 - rho) = d        ITL = tau(B) / (1 - rho)
///
/// Worked, H100, 6 requests per second of 1 155 + 211 tokens: rho = 0.315, d = 1 266 tokens/s,
/// B = 15 (1 853 x 0.685 = 1 269 tokens/s), ITL 11.8 ms.
public struct FluidLoad: Sendable {
    public struct Bounds: Hashable, Sendable {
        /// Of the promised gap that the steady state may use up; bursts need the rest.
        public var interTokenShare = 0.75
        /// Of the time that prefill may take. Beyond it short answers lose their pace.
        public var prefillShare = 0.62

        public init() {}
        public static let defaults = Bounds()
    }

    private let model: EndpointModel
    /// Seconds per input token.
    private let prefillSeconds: Double
    private let bounds: Bounds

    public init(_ model: EndpointModel, bounds: Bounds = .defaults) {
        self.model = model
        self.bounds = bounds
        let million = RequestSize(inputTokens: 1_000_000, outputTokens: 0)
        prefillSeconds = model.prefillTime(of: million).seconds / 1_000_000
    }

    /// The batch that a share of the demand settles at; `nil` if it is more than the endpoint can
    /// do at all or may do by the promise.
    func batch(for demand: DemandRate, share: Double) -> Int? {
        if model.prefillRule == .onePass { return onePassBatch(for: demand.sequences * share) }
        let rho = demand.inputTokens * share * prefillSeconds
        guard rho <= bounds.prefillShare else { return nil }
        let needed = demand.outputTokens * share / (1 - rho)
        guard let batch = smallestBatch(reaching: needed) else { return nil }
        if let promise = demand.interTokenLatency, batch > 0 {
            let gap = model.curve.iterationTime(batch: batch).seconds / (1 - rho)
            guard gap <= promise.seconds * bounds.interTokenShare else { return nil }
        }
        return batch
    }

    /// The largest share of the demand, 1 at most, that the endpoint can carry.
    public func largestShare(of demand: DemandRate) -> Double {
        if demand.isNone || batch(for: demand, share: 1) != nil { return 1 }
        var low = 0.0
        var high = 1.0
        for _ in 0..<20 {
            let middle = (low + high) / 2
            if batch(for: demand, share: middle) == nil { high = middle } else { low = middle }
        }
        return low
    }

    /// Above idle, carrying this share of the demand:
    /// `p c_p + d E*(B) / B`. Worked as above: 6 930 x 0.02364 + 1 266 x 3.16 / 15 = 431 W.
    public func power(for demand: DemandRate, share: Double) -> Watts {
        guard let batch = batch(for: demand, share: share), batch > 0 else { return .zero }
        let step = model.curve.energyAboveIdle(batch: batch).value / Double(batch)
        if model.prefillRule == .onePass { return Watts(demand.sequences * share * step) }
        let prefill = demand.inputTokens * share * model.prefillEnergyPerToken.value
        return Watts(prefill + demand.outputTokens * share * step)
    }

    private func smallestBatch(reaching needed: Double) -> Int? {
        guard needed > 0 else { return 0 }
        func rate(_ batch: Int) -> Double {
            Double(batch) / max(model.curve.iterationTime(batch: batch).seconds, 1e-9)
        }
        var low = 0
        var high = model.curve.capacity
        guard rate(high) >= needed else { return nil }
        while high - low > 1 {
            let middle = (low + high) / 2
            if rate(middle) >= needed { high = middle } else { low = middle }
        }
        return high
    }

    private func onePassBatch(for items: Double) -> Int? {
        smallestBatch(reaching: items / bounds.interTokenShare)
    }
}
