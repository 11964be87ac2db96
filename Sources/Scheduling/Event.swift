import InferenceTypes

extension Scheduler {
    /// Everything that the scheduler learns, through one door.
    ///
    /// Events about requests and endpoints that it does not know are dropped in silence: a
    /// client's departure and its answer's end may cross on their way here.
    public enum Event: Sendable {
        case arrived(InferenceRequest)
        /// The first token (or the first byte of a streamed answer) came in.
        case firstToken(RequestID)
        /// Token counts of many requests, gathered by a reactor over some 250 ms.
        case progress([TokenProgress])
        /// The request is over: answered, abandoned, or broken after bytes went downstream.
        case finished(RequestID, Completion)
        /// The attempt is over and nothing was sent downstream: another may follow.
        case attemptFailed(RequestID, UpstreamFailure)
        /// The client left, whether the request was queued or running.
        case withdrawn(RequestID)
        /// The result of one active health probe.
        case probed(EndpointID, healthy: Bool)
        case scraped(EndpointID, ScrapedLoad)
        /// The endpoint fell asleep or woke; or, after an action, it would not.
        case powerStateChanged(EndpointID, PowerState)
        /// What a ``Planner`` wants.
        case planned(Plan)
        /// Meters' windows that have closed; hand them in as soon as their last reading is in.
        case metered([MeterWindow])
        /// The endpoint runs at other clocks or under another power limit from now on. Equal labels
        /// mean equal curves; 0 is the label at the start.
        case relabelled(EndpointID, label: UInt64)
        case setPolicy(RoutingPolicy)
        case setEndpointState(EndpointID, AdministrativeState)
        case setPowerLimits(PowerLimits)
        /// The process is shutting down: nothing new, nothing queued; what runs may finish.
        case drainAll
        /// ``Scheduler/nextDeadline()`` has come. Early or late ones do no harm.
        case deadline
    }

    /// Output tokens of one request so far: a total, so that a lost report does no harm.
    public struct TokenProgress: Hashable, Sendable {
        public var request: RequestID
        public var outputTokens: Int

        public init(request: RequestID, outputTokens: Int) {
            self.request = request
            self.outputTokens = outputTokens
        }
    }

    public struct Completion: Hashable, Sendable {
        public enum Outcome: Hashable, Sendable {
            case completed
            /// The client left.
            case cancelled
            /// After bytes had been sent downstream, or beyond any retry.
            case failed(UpstreamFailure)
        }

        public var outcome: Outcome
        public var usage: Usage

        public init(outcome: Outcome, usage: Usage = Usage()) {
            self.outcome = outcome
            self.usage = usage
        }
    }

    /// What a model server's own metrics page said. Hand it over as soon as it is read: our own
    /// share is taken off by what is in flight at that moment.
    public struct ScrapedLoad: Hashable, Sendable {
        public var running: Int
        public var waiting: Int
        /// Share of the KV cache in use, 0 to 1; `nil` if the server does not say.
        public var kvUsage: Double?
        public var cache: CacheReport
        public var at: MonotonicTime

        public init(
            running: Int, waiting: Int, kvUsage: Double? = nil,
            cache: CacheReport = CacheReport(), at: MonotonicTime
        ) {
            self.running = running
            self.waiting = waiting
            self.kvUsage = kvUsage
            self.cache = cache
            self.at = at
        }
    }

    /// What the operator wants of an endpoint.
    public enum AdministrativeState: String, CaseIterable, Sendable {
        case active
        /// Finishes what it runs and gets nothing new.
        case draining
    }
}
