/// How the scheduler picks among the endpoints that passed its filters. The names are the ones
/// that other LLM routers use; hyphens are accepted for underscores.
public enum RoutingPolicy: String, CaseIterable, Sendable {
    /// Each eligible endpoint in turn.
    case roundRobin = "round_robin"
    /// Uniformly random.
    case random
    /// Two at random, the less loaded one.
    case powerOfTwo = "power_of_two"
    /// Fewest requests in flight, over the weight (join the shortest queue).
    case leastRequests = "least_requests"
    /// Fewest predicted seconds of queued and running work.
    case leastLoad = "least_load"
    /// Least predicted time to the last token.
    case leastLatency = "least_latency"
    /// Least marginal joules among the endpoints whose predicted latency holds the promise.
    case energyAware = "energy_aware"

    public init?(name: String) {
        self.init(rawValue: String(name.map { $0 == "-" ? "_" : $0 }))
    }
}
