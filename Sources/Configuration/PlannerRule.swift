import InferenceTypes

extension GatewayConfiguration {
    /// How many endpoints are kept awake.
    public struct PlannerRule: Hashable, Sendable {
        /// What is awake can carry so many times the expected load.
        public var reserve = 2.0
        public var minimumOn = TimeSpan.seconds(30)

        public init() {}
    }
}
