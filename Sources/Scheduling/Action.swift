import EnergyModel
import InferenceTypes

extension Scheduler {
    /// What the shell is to do. After `dispatch` it reports how the attempt ended; after
    /// `reject` it answers the client and the scheduler knows the request no more.
    public enum Action: Hashable, Sendable {
        case dispatch(RequestID, Placement)
        /// The request waits here; a `dispatch` or a `reject` follows.
        case queue(RequestID)
        case reject(RequestID, Rejection)
        /// For logs and metrics.
        case endpointStateChanged(EndpointID, EndpointCondition)
        /// Put the endpoint to sleep, or wake it, and tell ``Event/powerStateChanged(_:_:)``.
        case sleep(EndpointID)
        case wake(EndpointID)
        /// What a dispatched request that asked for it has cost by its end.
        case charged(RequestID, RequestEnergy)
        /// What a closed window adds to a request, ended or not; only if the configuration asks.
        case attributed(RequestID, Attribution)
    }
}

/// Where a request goes, and why.
public struct Placement: Hashable, Sendable {
    public enum Reason: String, CaseIterable, Sendable {
        /// No other endpoint passed the filters.
        case onlyCandidate = "only_candidate"
        case roundRobin = "round_robin"
        case random
        case powerOfTwo = "power_of_two"
        case leastRequests = "least_requests"
        case leastLoad = "least_load"
        case leastLatency = "least_latency"
        /// Fewest marginal joules among those that hold the latency promises.
        case leastEnergy = "least_energy"
        /// None holds them: the one that misses least.
        case leastLateness = "least_lateness"
        /// Holds most of the prompt, at least half of it.
        case mostCached = "most_cached"
        case consistentHash = "consistent_hash"
    }

    public var endpoint: EndpointID
    /// 1 for the first one.
    public var attempt: Int
    public var estimate: Estimate
    public var reason: Reason
    /// Endpoints that passed the filters, this one included.
    public var candidates: Int
    /// Estimated from bytes, for predictions only.
    public var inputTokens: Int
    /// Of these, how many the endpoint is expected to find in its prefix cache.
    public var cachedInputTokens = 0
    /// Expected, of one sequence.
    public var outputTokens: Int
    /// Since arrival.
    public var waited: TimeSpan
    /// `nil` without a shadow policy.
    public var shadow: Shadow?

    /// What the shadow policy would have chosen among the same endpoints at the same moment.
    public struct Shadow: Hashable, Sendable {
        public var endpoint: EndpointID
        public var marginalEnergy: Joules
        public var timeToFirstToken: TimeSpan
    }

    public init(
        endpoint: EndpointID, attempt: Int = 1, estimate: Estimate, reason: Reason,
        candidates: Int, inputTokens: Int, outputTokens: Int, waited: TimeSpan = .zero,
        shadow: Shadow? = nil
    ) {
        self.endpoint = endpoint
        self.attempt = attempt
        self.estimate = estimate
        self.reason = reason
        self.candidates = candidates
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.waited = waited
        self.shadow = shadow
    }
}

/// Why a request was turned away, in the words of llm-d where it has one.
public enum RejectionReason: String, CaseIterable, Sendable {
    /// The queue is full, or every endpoint said that it is.
    case saturated = "rejected-saturated"
    /// No endpoint could take this request, and none is about to return.
    case noEndpoints = "rejected-no-endpoints"
    /// It waited in the queue as long as it may.
    case ttlExpired = "rejected-ttl-expired"
    case shuttingDown = "rejected-shutting-down"
    /// It waited, or would have had to, since no endpoint may draw more power for it.
    case powerBudget = "rejected-power-budget"
    /// The attempts that were allowed, or the time for them, are used up.
    case upstreamFailed = "rejected-upstream-failed"
}

public struct Rejection: Hashable, Sendable {
    public var reason: RejectionReason
    /// For the `Retry-After` header: whole seconds, 1 to 120, spread so that clients do not
    /// return together.
    public var retryAfterSeconds: Int
    /// The last failure of an attempt, if there was one.
    public var lastFailure: UpstreamFailure?
    /// Attempts made.
    public var attempts: Int

    public init(
        reason: RejectionReason, retryAfterSeconds: Int, lastFailure: UpstreamFailure? = nil,
        attempts: Int = 0
    ) {
        self.reason = reason
        self.retryAfterSeconds = retryAfterSeconds
        self.lastFailure = lastFailure
        self.attempts = attempts
    }
}
