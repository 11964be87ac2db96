import InferenceTypes

/// What became of one request.
public struct RequestOutcome: Hashable, Sendable {
    public var service: Int
    public var arrivedAt: MonotonicTime
    public var inputTokens: Int
    public var outputTokens: Int
    /// Of the input tokens, those that the engine found in its prefix cache.
    public var cachedTokens = 0
    public var firstTokenAt: MonotonicTime?
    /// When the last token came; `nil`: it was turned away.
    public var finishedAt: MonotonicTime?
    public var endpoint: Int?
    /// Attempts beyond the first.
    public var retries = 0
    /// Marginal energy predicted at its placement.
    public var predictedEnergy = Joules.zero
    /// Above idle, as the ledger attributed it, and as it truly was.
    public var attributedEnergy = Microjoules.zero
    public var trueEnergy = Joules.zero

    public init(_ arrival: Workload.Arrival) {
        service = arrival.service
        arrivedAt = arrival.at
        inputTokens = arrival.inputTokens
        outputTokens = arrival.outputTokens
    }

    /// `|figure - truth| / truth`; `nil` if it cost nothing.
    func error(of figure: Joules) -> Double? {
        guard trueEnergy.value > 0 else { return nil }
        return abs(figure.value - trueEnergy.value) / trueEnergy.value
    }

    public var timeToFirstToken: TimeSpan? { firstTokenAt.map { $0 - arrivedAt } }

    /// Mean gap between two tokens; `nil` for fewer than two.
    public var interTokenLatency: TimeSpan? {
        guard let firstTokenAt, let finishedAt, outputTokens > 1 else { return nil }
        return TimeSpan(
            seconds: (finishedAt - firstTokenAt).seconds / Double(outputTokens - 1))
    }

    /// True if the promise was kept; one that was turned away was not.
    public func met(_ objective: LatencyObjective) -> Bool {
        guard let firstTokenAt, let finishedAt else { return false }
        return objective.isMet(
            firstToken: firstTokenAt - arrivedAt, end: finishedAt - arrivedAt,
            outputTokens: outputTokens)
    }
}
