import InferenceTypes

/// What placing one request on one endpoint is predicted to do.
public struct Estimate: Hashable, Sendable {
    /// Energy above what the endpoint would draw without this request.
    public var marginalEnergy: Joules
    /// From placement to the first token; to the whole answer for tasks that generate none.
    public var timeToFirstToken: TimeSpan
    /// Mean gap between two tokens of this request; zero if it generates none.
    public var interTokenLatency: TimeSpan
    /// Mean gap of the sequences already running there, once this request has joined them;
    /// zero if there are none.
    public var runningInterTokenLatency: TimeSpan
    /// One decode step of the batch with this request in it.
    public var iterationTime: TimeSpan
    /// How long a short answer that runs there is kept from decoding: prefill of the last second,
    /// queued prefill and this request's own.
    public var prefillStall: TimeSpan
    /// From placement to the last token.
    public var duration: TimeSpan
    /// Standard deviation of ``marginalEnergy`` by what is known of curve and prefill, as if their
    /// errors went the same way. The answer's length is not in it.
    public var energyDeviation: Joules
    /// Never ``Provenance/measured``: a prediction is at best modelled.
    public var provenance: Provenance

    @inlinable
    public init(
        marginalEnergy: Joules, timeToFirstToken: TimeSpan,
        interTokenLatency: TimeSpan = .zero, runningInterTokenLatency: TimeSpan = .zero,
        iterationTime: TimeSpan = .zero, prefillStall: TimeSpan = .zero,
        duration: TimeSpan, energyDeviation: Joules = .zero, provenance: Provenance
    ) {
        self.marginalEnergy = marginalEnergy
        self.timeToFirstToken = timeToFirstToken
        self.interTokenLatency = interTokenLatency
        self.runningInterTokenLatency = runningInterTokenLatency
        self.iterationTime = iterationTime
        self.prefillStall = prefillStall
        self.duration = duration
        self.energyDeviation = energyDeviation
        self.provenance = provenance
    }

    /// What promises are held against.
    @inlinable
    @inline(__always)
    public var times: EndpointModel.Times {
        EndpointModel.Times(
            firstToken: timeToFirstToken, gap: interTokenLatency,
            runningGap: runningInterTokenLatency, step: iterationTime, stall: prefillStall,
            gapSeconds: interTokenLatency.seconds)
    }
}
