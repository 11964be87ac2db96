import InferenceTypes

extension EngineKind {
    /// What such an engine computes on unless the file says otherwise.
    public var defaultAccelerator: AcceleratorKind {
        switch self {
        case .vllm, .sglang: .gpu
        case .vllmRBLN: .npu
        case .llamaServer: .cpu
        }
    }
}

extension GatewayConfiguration {
    /// An interchangeable set of endpoints.
    public struct Pool: Hashable, Sendable {
        /// A model that the pool serves, and the name its engines know it by.
        public struct ServedModel: Hashable, Sendable {
            public var model: ModelID
            public var upstream: String

            public init(model: ModelID, upstream: String) {
                self.model = model
                self.upstream = upstream
            }
        }

        public var name: String
        public var engine: EngineKind
        public var accelerator: AcceleratorKind
        public var profile: Profile
        public var endpoints: [Endpoint]
        public var models: [ServedModel]
        public var tls = UpstreamTLS()
        /// Most that its endpoints may be predicted to draw together; nil: no limit of its own.
        public var powerLimit: Watts?
        /// True if its endpoints may be put to sleep and woken by vLLM's development endpoints.
        public var sleepIsEnabled = false
        /// Sent upstream as a bearer token; nil: none.
        public var apiKey: String?

        public init(
            name: String, engine: EngineKind, accelerator: AcceleratorKind? = nil,
            profile: Profile, endpoints: [Endpoint], models: [ServedModel]
        ) {
            self.name = name
            self.engine = engine
            self.accelerator = accelerator ?? engine.defaultAccelerator
            self.profile = profile
            self.endpoints = endpoints
            self.models = models
        }

        /// The name by which this pool's engines know `model`; nil: not served here.
        public func upstreamName(of model: ModelID) -> String? {
            models.first { $0.model == model }?.upstream
        }
    }

    /// One model server.
    public struct Endpoint: Hashable, Sendable {
        public var url: ServiceURL
        /// Every meter that sees part of this endpoint's power.
        public var meters: [MeterID]
        /// Most requests sent to it at once; nil: the profile's largest batch decides.
        public var maxInFlight: Int?

        public init(url: ServiceURL, meters: [MeterID] = [], maxInFlight: Int? = nil) {
            self.url = url
            self.meters = meters
            self.maxInFlight = maxInFlight
        }
    }

    /// How upstream certificates are checked. Only for `https` endpoints.
    public struct UpstreamTLS: Hashable, Sendable {
        /// PEM file of the authority that signs the endpoints; nil: the system's store.
        public var caCertificate: String?
        public var verify = true

        public init() {}
    }
}
