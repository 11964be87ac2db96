/// What active probes say of an endpoint.
public struct ProbeHealth: Hashable, Sendable {
    public struct Configuration: Hashable, Sendable {
        /// Good probes in a row that bring an unhealthy endpoint back.
        public var healthyInARow = 2
        /// Bad probes in a row that take an endpoint out.
        public var unhealthyInARow = 3

        public init() {}
        public static let defaults = Configuration()
    }

    public enum State: Hashable, Sendable {
        /// Never judged: usable, so that a gateway without probes works. Next: either.
        case unknown
        /// Next: `unhealthy`.
        case healthy
        /// Not used. Next: `healthy`.
        case unhealthy
    }

    public private(set) var state = State.unknown
    private var inARow = 0
    private var lastWasHealthy = true
    private let configuration: Configuration

    public init(_ configuration: Configuration = .defaults) {
        self.configuration = configuration
    }

    public var isUsable: Bool { state != .unhealthy }

    /// Counts one probe. True if the endpoint came back by it.
    public mutating func observe(healthy: Bool) -> Bool {
        inARow = healthy == lastWasHealthy ? min(inARow + 1, 1_000_000) : 1
        lastWasHealthy = healthy
        let before = state
        if healthy, state == .unknown || inARow >= configuration.healthyInARow {
            state = .healthy
        } else if !healthy, inARow >= configuration.unhealthyInARow {
            state = .unhealthy
        }
        return before == .unhealthy && state == .healthy
    }
}
