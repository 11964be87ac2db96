import InferenceTypes

/// How efficient a pool has to be for half of the work to go to it.
public struct BreakEven: Sendable {
    /// All watts of the pool divided by it.
    public var efficiency: Double
    /// Of all output tokens, those from the pool.
    public var share: Double
    /// Joules above idle per output token, prompts included: of the pool, and of all others.
    public var poolEnergyPerToken: Double
    public var otherEnergyPerToken: Double
    public var total: Joules

    /// Bisects the efficiency of the pool at `index` between `low` and `high`, in log scale,
    /// until `energy_aware` has half of the output tokens made there. The share rises with the
    /// efficiency, but in steps: what is found is a point where it passes one half.
    public static func find(
        pool index: Int, of fleet: SimulatedFleet, workload: Workload, seed: UInt64,
        low: Double = 0.1, high: Double = 10, steps: Int = 8
    ) -> BreakEven {
        var (low, high) = (Mathematics.log(low), Mathematics.log(high))
        var result = measure(Mathematics.exp(high), index, fleet, workload, seed)
        for _ in 0..<steps {
            let middle = (low + high) / 2
            let point = measure(Mathematics.exp(middle), index, fleet, workload, seed)
            if point.share >= 0.5 {
                high = middle
                result = point
            } else {
                low = middle
            }
        }
        return result
    }

    private static func measure(
        _ efficiency: Double, _ index: Int, _ fleet: SimulatedFleet, _ workload: Workload,
        _ seed: UInt64
    ) -> BreakEven {
        var fleet = fleet
        fleet.pools[index].profile = fleet.pools[index].profile.drawing(1 / efficiency)
        fleet.pools[index].truth = fleet.pools[index].truth.drawing(1 / efficiency)
        let record = Simulator(
            workload: workload, fleet: fleet,
            director: Director(name: "energy_aware", policy: .energyAware), seed: seed
        ).run(until: workload.horizon)
        let pools = fleet.poolIndices
        var tokens = (pool: 0, other: 0)
        for outcome in record.finished {
            guard let endpoint = outcome.endpoint else { continue }
            if pools[endpoint] == index {
                tokens.pool += outcome.outputTokens
            } else {
                tokens.other += outcome.outputTokens
            }
        }
        var above = (pool: 0.0, other: 0.0)
        for (endpoint, energy) in record.energyByEndpoint.enumerated() {
            let idle = fleet.pools[pools[endpoint]].truth.idlePower * record.length
            let joules = energy.value - idle.value
            if pools[endpoint] == index { above.pool += joules } else { above.other += joules }
        }
        return BreakEven(
            efficiency: efficiency,
            share: Double(tokens.pool) / Double(max(tokens.pool + tokens.other, 1)),
            poolEnergyPerToken: above.pool / Double(max(tokens.pool, 1)),
            otherEnergyPerToken: above.other / Double(max(tokens.other, 1)),
            total: record.energy.total)
    }
}
