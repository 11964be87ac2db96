import InferenceTypes

extension GatewayConfiguration {
    /// When a micro-batch of classification requests closes. The words are Triton's.
    public struct DynamicBatching: Hashable, Sendable {
        public var maxBatchSize = 64
        /// Ascending; empty: the profile's decode buckets.
        public var preferredBatchSizes: [Int] = []
        public var maxQueueDelay = TimeSpan.microseconds(2_000)
        public var preserveOrdering = false
        /// May messages of tenants with the same pools, class and promise travel in one batch?
        public var shareTenants = false
        public var queuePolicy = QueuePolicy()

        public init() {}
    }

    /// What holds for messages while they wait and until they have their verdict.
    public struct QueuePolicy: Hashable, Sendable {
        /// Messages of the model that wait on one reactor.
        public var maxQueueSize = 16_384
        /// From arrival to verdict; zero: no limit.
        public var defaultTimeout = TimeSpan.zero
        /// May a request bring its own in `x-request-timeout-ms`?
        public var allowTimeoutOverride = true

        public init() {}
    }

    /// How a classifier's verdicts are read, and what may give one before an accelerator does.
    public struct Classification: Hashable, Sendable {
        /// What a request gets whose verdict does not come in time.
        public enum WhenUndecided: String, CaseIterable, Sendable {
            /// Status 200 and the label `undecided`.
            case answer
            /// An error status, 504 when the time was up.
            case error
        }

        /// Of the model on the accelerators; nil: what the pool calls it.
        public var version: String?
        /// In the order of the model's classes.
        public var labels: [String] = []
        /// By its place in `labels`.
        public var positiveLabel: Int?
        /// Least probability of the positive label that gives it; nil: the model's own label.
        public var threshold: Double?
        public var whenUndecided = WhenUndecided.answer
        public var cache = Cache()
        public var linear: Linear?

        public init() {}
    }

    /// Verdicts that are kept for texts that come again.
    public struct Cache: Hashable, Sendable {
        /// Verdicts of one tenant on one reactor; 0: none are kept.
        public var entries = 0
        public var lifetime = TimeSpan.seconds(300)

        public init() {}
    }

    /// The linear scorer in front of the accelerators.
    public struct Linear: Hashable, Sendable {
        /// A file that `joulegate train-spam` wrote.
        public var weights: String
        /// Scores beside it without effect.
        public var candidate: String?
        /// Below: the other label at once. 0: never.
        public var negativeBelow = 0.0
        /// At or above: the positive label at once. Above 1: never.
        public var positiveAbove = 1.01

        public init(weights: String) { self.weights = weights }
    }
}
