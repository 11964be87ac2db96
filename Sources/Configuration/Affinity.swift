import InferenceTypes

extension GatewayConfiguration {
    /// Whether, and how, the gateway keeps in mind which endpoint has computed which beginnings of
    /// prompts.
    public struct Affinity: Hashable, Sendable {
        public var isOn = true
        /// How long an endpoint is taken to hold what it was not asked for again.
        public var memory = TimeSpan.seconds(600)
        /// Tokens that an endpoint's cache keeps beside what runs.
        public var tokensPerEndpoint = 262_144

        public init() {}
    }
}
