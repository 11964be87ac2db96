import EnergyModel
import InferenceTypes

/// What was asked for of one model since the start.
public struct Demand: Hashable, Sendable {
    /// Sequences that arrived.
    public var sequences = 0
    /// Their input and expected output tokens.
    public var inputTokens = 0
    public var outputTokens = 0
    /// The tightest token gap that any of them was promised lately.
    public var interTokenLatency: TimeSpan? { tightest }
    private var tightest: TimeSpan?
    private var tightestAt = MonotonicTime.zero

    /// So long does one request's promise count for all.
    static let memory = TimeSpan.seconds(600)

    public init() {}

    mutating func note(promised gap: TimeSpan, at now: MonotonicTime) {
        if let tightest, tightest < gap, now - tightestAt < Self.memory { return }
        tightest = gap
        tightestAt = now
    }
}

/// What the ``Planner`` looks at: taken under the lock, read outside it.
public struct PlanningInput: Sendable {
    public struct Endpoint: Hashable, Sendable {
        public var power: PowerState
        /// Since when it is in this state.
        public var since: MonotonicTime
        /// False: draining, failing or ejected; it counts for nothing.
        public var isSound: Bool
        /// Sequences there, ours and foreign.
        public var sequences: Int
        /// Prompts accepted and not computed.
        public var queuedPrefill: TimeSpan
    }

    public var endpoints: [Endpoint]
    /// By model.
    public var demands: [Demand]
    /// Requests that wait for room.
    public var waiting: Int
    /// By endpoint, with what was learned; `nil`: nothing is, the profiles hold.
    public var models: [EndpointModel]?
}

/// What the planner wants.
public struct Plan: Hashable, Sendable {
    /// An endpoint that the load can do without.
    public struct Drainable: Hashable, Sendable {
        public var endpoint: EndpointID
        /// Since when nothing that is expected needs it.
        public var since: MonotonicTime
        /// By sleeping instead of idling.
        public var saving: Watts
        /// How long it must not be needed before its sleep pays.
        public var breakEven: TimeSpan
    }

    /// By endpoint: false if it had better sleep.
    public var awake: [Bool]
    public var drainable: [Drainable]
    /// By model: what the fleet was sized for, tokens per second.
    public var expected: [DemandRate]
    /// Endpoints that this needs.
    public var required: Int

    public init(
        awake: [Bool], drainable: [Drainable] = [], expected: [DemandRate] = [], required: Int = 0
    ) {
        self.awake = awake
        self.drainable = drainable
        self.expected = expected
        self.required = required
    }
}

/// A steady demand of one model.
public struct DemandRate: Hashable, Sendable {
    /// Per second.
    public var sequences: Double
    public var inputTokens: Double
    public var outputTokens: Double
    public var interTokenLatency: TimeSpan?

    public init(
        sequences: Double = 0, inputTokens: Double = 0, outputTokens: Double = 0,
        interTokenLatency: TimeSpan? = nil
    ) {
        self.sequences = sequences
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.interTokenLatency = interTokenLatency
    }

    public static func * (rate: DemandRate, factor: Double) -> DemandRate {
        DemandRate(
            sequences: rate.sequences * factor, inputTokens: rate.inputTokens * factor,
            outputTokens: rate.outputTokens * factor, interTokenLatency: rate.interTokenLatency)
    }

    var isNone: Bool { sequences <= 0 && inputTokens <= 0 && outputTokens <= 0 }
}
