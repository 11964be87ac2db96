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
    /// Longest known beginning of the prompt, unless loads are far from even; else fewest requests.
    case cacheAware = "cache_aware"
    /// By a hash of session or prompt, no endpoint far above the mean load.
    case consistentHash = "consistent_hash"

    public init?(name: String) {
        let name = String(name.map { $0 == "-" ? "_" : $0 })
        self.init(rawValue: name == "consistent_hashing" ? "consistent_hash" : name)
    }
}
