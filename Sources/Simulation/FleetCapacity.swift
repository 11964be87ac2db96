import EnergyModel
import InferenceTypes
import Scheduling

extension SimulatedFleet {
    /// Requests per second like those of `rows` that the whole fleet carries in a steady state
    /// within the promise, by ``FluidLoad``.
    public func capacity(for rows: [TraceRow], objective: LatencyObjective) -> Double {
        guard !rows.isEmpty else { return 0 }
        let count = Double(rows.count)
        // More than any endpoint does, so that shares of it are below one.
        let demand = DemandRate(
            sequences: 1,
            inputTokens: Double(rows.reduce(0) { $0 + $1.inputTokens }) / count,
            outputTokens: Double(rows.reduce(0) { $0 + $1.outputTokens }) / count,
            interTokenLatency: objective.interTokenLatency) * 1_000
        return pools.reduce(0) { sum, pool in
            let load = FluidLoad(EndpointModel(profile: pool.profile, engine: pool.engine))
            return sum + 1_000 * load.largestShare(of: demand) * Double(pool.count)
        }
    }
}
