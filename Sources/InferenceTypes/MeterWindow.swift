/// What one meter counted between two moments. Windows of a meter follow each other without a gap
/// and without overlap; those that are not ``Kind/metered`` say why.
public struct MeterWindow: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        /// The meter's own difference.
        case metered
        /// The meter was silent: `energy` is zero and means nothing, the model says what was
        /// drawn, until one of the two that follow settles it.
        case imputed
        /// The counter is back and spans the silence: `energy` is all that was drawn between
        /// `start` and `end`, in place of what the imputed windows in it said.
        case recovered
        /// The counter was reset in the silence, or there is none: what the imputed windows
        /// between `start` and `end` said stands.
        case conceded
    }

    public var meter: MeterID
    public var start: MonotonicTime
    public var end: MonotonicTime
    public var energy: Microjoules
    /// What may be said of `energy`.
    public var provenance: Provenance
    public var kind: Kind

    public init(
        meter: MeterID, start: MonotonicTime, end: MonotonicTime, energy: Microjoules,
        provenance: Provenance, kind: Kind = .metered
    ) {
        self.meter = meter
        self.start = start
        self.end = end
        self.energy = energy
        self.provenance = provenance
        self.kind = kind
    }

    public var span: TimeSpan { end - start }

    /// True if a model may learn from it.
    public var isMeasured: Bool { kind == .metered && provenance == .measured }
}
