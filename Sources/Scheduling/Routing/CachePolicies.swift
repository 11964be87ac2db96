import EnergyModel
import InferenceTypes

/// The policies by which other LLM routers use prefix caches.
extension Router {
    /// `cache_aware`: as long as loads are even, the endpoint with most of the prompt, if that is
    /// half of it; otherwise the shortest queue.
    ///
    /// Uneven are loads whose largest is above the smallest by 32 requests and by half.
    func mostCached(_ demand: Demand, _ endpoints: [EndpointState]) -> (Int, Placement.Reason) {
        let shortest = shortestQueue(endpoints)
        guard recalls, !isUneven(endpoints) else { return (shortest, .leastRequests) }
        var best = shortest
        var most = Double(demand.size.inputTokens) * Self.leastMatch
        for index in eligible where Double(cached[index]) > most {
            most = Double(cached[index])
            best = index
        }
        return most > Double(demand.size.inputTokens) * Self.leastMatch
            ? (best, .mostCached) : (shortest, .leastRequests)
    }

    private static let leastMatch = 0.5
    private static let unevenBy = 32.0
    private static let unevenTimes = 1.5

    private func isUneven(_ endpoints: [EndpointState]) -> Bool {
        var least = Double.infinity
        var most = 0.0
        for index in eligible {
            let queue = Double(endpoints[index].running.count) / endpoints[index].weight
            least = min(least, queue)
            most = max(most, queue)
        }
        return most - least > Self.unevenBy && most > least * Self.unevenTimes
    }

    /// `consistent_hash`: the endpoint with the highest hash of key and endpoint among those with
    /// at most 1.25 times their share of the requests (rendezvous hashing, bounded loads). One that
    /// leaves takes only its own keys along, and they spread over all others.
    func hashed(_ demand: Demand, _ endpoints: [EndpointState]) -> Int {
        var all = 1.0
        var weights = 0.0
        for index in eligible {
            all += Double(endpoints[index].running.count)
            weights += endpoints[index].weight
        }
        let bound = (all / weights) * Self.mostLoad
        var best: Int?
        var highest: UInt64 = 0
        for index in eligible {
            let queue = Double(endpoints[index].running.count + 1) / endpoints[index].weight
            // One more always fits where the bound is below one.
            guard queue <= max(bound, 1 / endpoints[index].weight) else { continue }
            let hash = Self.rendezvous(demand.key, endpoints[index].id)
            if best == nil || hash > highest { (best, highest) = (index, hash) }
        }
        return best ?? shortestQueue(endpoints)
    }

    private static let mostLoad = 1.25

    private static func rendezvous(_ key: UInt64, _ endpoint: EndpointID) -> UInt64 {
        let own = (UInt64(truncatingIfNeeded: endpoint.index) &+ 1) &* 0xD6E8_FEB8_6659_FD93
        let both = (key ^ 0x9E37_79B9_7F4A_7C15).folded(with: own | 1)
        return both.folded(with: 0xE703_7ED1_A0B4_28DB)
    }
}

extension InferenceRequest {
    /// What keeps requests together: their session; without one the beginning of the prompt;
    /// without that nothing.
    @inline(__always)
    var affinityKey: UInt64 {
        if session != 0 { return session }
        if !prefix.isEmpty { return prefix[0].hash }
        return id.rawValue.folded(with: 0x2545_F491_4F6C_DD1D)
    }
}
