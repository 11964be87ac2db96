import InferenceTypes

extension GatewayConfiguration {
    /// A model as clients name it.
    public struct Model: Hashable, Sendable {
        public var name: String
        /// Other names by which clients may ask for it.
        public var aliases: [String] = []
        /// `chat` stands for everything that generates: chat, completion, responses.
        public var task = InferenceTask.chat
        /// Overrides the class's promise where set.
        public var objective = LatencyObjective()
        /// nil: each request goes upstream alone.
        public var batching: DynamicBatching?
        public var classification = Classification()

        public init(name: String) { self.name = name }
    }

    /// The latency promise of each service class.
    public struct ClassObjectives: Hashable, Sendable {
        /// By ``ServiceClass/rank``.
        private var objectives = [LatencyObjective](
            repeating: LatencyObjective(), count: ServiceClass.allCases.count)

        public init() {}

        public subscript(serviceClass: ServiceClass) -> LatencyObjective {
            get { objectives[serviceClass.rank] }
            set { objectives[serviceClass.rank] = newValue }
        }
    }

    /// Who pays, and what they may use.
    public struct Tenant: Hashable, Sendable {
        public var name: String
        public var serviceClass = ServiceClass.default
        /// Of the engine time that its class gets while others of the class wait.
        public var weight = 1.0
        /// Overrides the model's and the class's promise where set.
        public var objective = LatencyObjective()
        /// Several, so that keys can be rotated.
        public var apiKeys: [KeyDigest] = []
        /// Pools whose endpoints may see this tenant's prompts.
        public var pools: [PoolID] = []
        /// nil: every model.
        public var models: [ModelID]?
        /// May image and file parts name a remote address?
        public var allowRemoteMedia = false
        /// May bodies hold the members of `denied_fields`?
        public var allowRestrictedFields = false

        public init(name: String) { self.name = name }
    }
}
