import InferenceTypes

/// Splits a trace over several models by what the endpoints of each can carry.
public struct ModelShares: Sendable {
    private let speeds: [EngineSpeed]

    public init(_ fleet: SimulatedFleet, models: Int) {
        speeds = (0..<max(models, 1)).map { EngineSpeed(fleet, model: ModelID($0)) }
    }

    /// By model: each row goes where it fills least. Rows of a model that nobody serves: none.
    public func split(_ rows: [TraceRow]) -> [[TraceRow]] {
        var parts = Array(repeating: [TraceRow](), count: speeds.count)
        var load = Array(repeating: 0.0, count: speeds.count)
        for row in rows {
            var best: (model: Int, load: Double)?
            for model in speeds.indices {
                let share = speeds[model].share(row.inputTokens, row.outputTokens)
                guard share > 0 else { continue }
                if load[model] + share < best?.load ?? .infinity {
                    best = (model, load[model] + share)
                }
            }
            guard let best else { continue }
            load[best.model] = best.load
            parts[best.model].append(row)
        }
        return parts
    }
}
