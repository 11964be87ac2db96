import InferenceTypes

/// Counters of an engine's metrics page, since its start. Exact integers: how often the engine
/// was asked to advance does not show in them.
public struct EngineCounters: Equatable, Sendable {
    /// Prompt tokens of requests whose prefill is complete, cached ones included.
    public var promptTokens = 0
    public var cachedPromptTokens = 0
    public var generationTokens = 0
    /// Steps.
    public var iterations = 0
    /// Tokens worked on over all steps: one per decode, chunk by chunk for prefill.
    public var iterationTokens = 0
    /// Running sequences summed over all steps.
    public var iterationSequences = 0
    public var preemptions = 0
    public var finishedByStop = 0
    public var finishedByLength = 0
    public var cancelled = 0
    public var rejected = 0
    /// Time spent on prefill, and on decode.
    public var prefillTime = TimeSpan.zero
    public var decodeTime = TimeSpan.zero
    public var timeToFirstToken = LatencyHistogram(bounds: .timeToFirstToken)
    public var interTokenLatency = LatencyHistogram(bounds: .interToken)
    public var endToEndLatency = LatencyHistogram(bounds: .request)
    public var queueTime = LatencyHistogram(bounds: .request)

    public init() {}

    mutating func finish(_ reason: FinishReason) {
        switch reason {
        case .stop: finishedByStop += 1
        case .length: finishedByLength += 1
        }
    }
}

/// A Prometheus-style histogram of latencies with vLLM's bucket edges.
public struct LatencyHistogram: Equatable, Sendable {
    /// Upper edges, seconds.
    public struct Bounds: Equatable, Sendable {
        public let seconds: [Double]

        public static let timeToFirstToken = Bounds(seconds: [
            0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5,
            10, 20, 40, 80, 160, 640, 2560,
        ])
        public static let interToken = Bounds(seconds: [
            0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
            20, 40, 80,
        ])
        public static let request = Bounds(seconds: [
            0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960,
            1920, 7680,
        ])
    }

    public let bounds: Bounds
    /// Observations per bucket, not cumulated; the last one holds what no edge holds.
    public private(set) var buckets: [Int]
    public private(set) var count = 0
    public private(set) var sum = TimeSpan.zero

    public init(bounds: Bounds) {
        self.bounds = bounds
        buckets = Array(repeating: 0, count: bounds.seconds.count + 1)
    }

    mutating func observe(_ latency: TimeSpan, times: Int = 1) {
        guard times > 0 else { return }
        let seconds = latency.seconds
        var index = 0
        while index < bounds.seconds.count, seconds > bounds.seconds[index] { index += 1 }
        buckets[index] += times
        count += times
        let (all, overflow) = latency.nanoseconds.multipliedReportingOverflow(by: Int64(times))
        sum = sum + TimeSpan(nanoseconds: overflow ? .max : all)
    }
}
