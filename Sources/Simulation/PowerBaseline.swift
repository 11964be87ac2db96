import EnergyModel
import InferenceTypes
import Scheduling

/// How a power limit is kept: by the gateway's own gate, or in one of the two ways that are common
/// without one.
extension Director {
    /// The same policy under the gateway's power limits.
    public func limited(to limits: PowerLimits) -> Director {
        var director = self
        let before = adjust
        director.adjust = {
            before(&$0)
            $0.powerLimits = limits
        }
        return director
    }

    /// The same number of sequences everywhere: the largest at which the fleet stays below `site`
    /// if all of them run it, by the profiles' decode power.
    public static func uniformLimit(_ site: Watts, of fleet: SimulatedFleet) -> Director {
        var most = 0
        let largest = fleet.pools.map(\.profile.maxBatch).max() ?? 0
        while most < largest, fleet.decodePower(batch: most + 1) <= site.value { most += 1 }
        let limit = max(most, 1)
        return Director(name: "uniform limit of \(limit)", policy: .leastRequests) {
            for index in $0.endpoints.indices { $0.endpoints[index].maxInFlight = limit }
        }
    }

    /// Each board keeps an equal share of `site` by its own clock; see `BoardLimit`.
    public static func boardLimit(_ site: Watts, of fleet: SimulatedFleet) -> Director {
        let share = Watts(site.value / Double(max(fleet.endpointCount, 1)))
        var director = Director(
            name: "board limit of \(Int(share.value)) W", policy: .leastRequests)
        director.adjustFleet = { fleet in
            for index in fleet.pools.indices { fleet.pools[index].options.boardLimit = share }
        }
        return director
    }
}

extension SimulatedFleet {
    /// Watts with `batch` sequences decoding on every endpoint.
    func decodePower(batch: Int) -> Double {
        pools.reduce(0) { sum, pool in
            let curve = IterationCurve(pool.profile)
            return sum + curve.power(batch: batch).value * Double(pool.count)
        }
    }
}
