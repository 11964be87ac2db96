import InferenceTypes

/// What one request has cost.
public struct RequestEnergy: Hashable, Sendable {
    /// Above what its endpoint would have drawn without any request.
    public var marginal: Microjoules
    /// With its share of the idle power of the time it was there.
    public var total: Microjoules
    /// What may be said of the figures.
    public var provenance: Provenance
    /// What the meters behind them see; one for each scope.
    public var scopes: [Profile.MeterScope]
    /// True if a part is still the model's word, because its meters' windows have not closed.
    public var isEstimated: Bool

    public init(
        marginal: Microjoules, total: Microjoules, provenance: Provenance,
        scopes: [Profile.MeterScope], isEstimated: Bool
    ) {
        self.marginal = marginal
        self.total = total
        self.provenance = provenance
        self.scopes = scopes
        self.isEstimated = isEstimated
    }
}

/// What a closed window has added to one request.
public struct Attribution: Hashable, Sendable {
    public var meter: MeterID
    /// Above idle.
    public var marginal: Microjoules
    /// Its share of the idle power while it was there.
    public var idle: Microjoules

    public init(meter: MeterID, marginal: Microjoules, idle: Microjoules) {
        self.meter = meter
        self.marginal = marginal
        self.idle = idle
    }
}
