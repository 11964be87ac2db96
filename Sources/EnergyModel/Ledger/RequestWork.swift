import InferenceTypes

/// Where one running request stands on its endpoint's ``WorkClock``: enough to say at any later
/// moment, in a few operations, what it has cost so far or since a mark. A plain value without
/// references; the scheduler keeps it in the request's record.
public struct RequestWork: Hashable, Sendable {
    /// What is known of a request when it is placed.
    public struct Demand: Hashable, Sendable {
        /// Expected prompt tokens that have to be computed.
        public var inputTokens: Int
        public var sequences: Int
        /// False for tasks without decoding.
        public var generates: Bool
        /// True if its tokens are reported as they come.
        public var streams: Bool

        public init(inputTokens: Int, sequences: Int, generates: Bool, streams: Bool) {
            self.inputTokens = max(inputTokens, 0)
            self.sequences = max(sequences, 1)
            self.generates = generates
            self.streams = streams
        }
    }

    var demand = Demand(inputTokens: 0, sequences: 1, generates: false, streams: false)
    public private(set) var placedAt = MonotonicTime.zero
    /// Its place in the endpoint's row of prompts, in seconds of prefill since the start.
    var prefillFrom = 0.0
    var prefillSeconds = 0.0
    var isDecoding = false
    /// Readings of the clock when it began to decode.
    var turnsFrom = 0.0
    var shareFrom = 0.0
    /// Output tokens reported so far.
    var reported = 0
    /// Joules above idle that no clock shows: forward passes of classifiers, and the difference
    /// between the prompt expected and the prompt counted.
    var extra = 0.0

    /// What closed windows have added; the row of the accounts; a number that tells it apart.
    public internal(set) var marginal = Microjoules.zero
    public internal(set) var idle = Microjoules.zero
    var account = 0
    var number: UInt64 = 0
    /// What windows that closed were worth.
    var provenance = Provenance.measured

    public init() {}

    init(_ demand: Demand, placedAt: MonotonicTime, from: Double, seconds: Double) {
        self.demand = demand
        self.placedAt = placedAt
        prefillFrom = from
        prefillSeconds = seconds
    }

    /// A further attempt begins with what those before it have cost.
    public mutating func carry(from earlier: RequestWork) {
        marginal = earlier.marginal
        idle = earlier.idle
        provenance = earlier.provenance
    }

    /// Its figure from now on, whatever windows say later.
    public mutating func charge(_ energy: RequestEnergy) {
        marginal = energy.marginal
        idle = energy.total - energy.marginal
        provenance = energy.provenance
    }

    var prefillEnd: Double { prefillFrom + prefillSeconds }
}
