import InferenceTypes
import Scheduling
import Transport

/// What the load could do without.
extension AdminHandler {
    func advice() -> [String: Any] {
        let now = plane.reactor.now
        guard let plan = gateway.advice.latest else { return ["drainable": [[String: Any]]()] }
        let states = gateway.scheduler.planningInput(at: now).endpoints
        let drainable = plan.drainable.map { entry in
            let endpoint = gateway.directory.endpoints[entry.endpoint.index]
            let pool = gateway.directory.pool(endpoint.pool)
            let idle = (now - entry.since).seconds.rounded()
            return [
                "id": entry.endpoint.index, "url": endpoint.authority, "pool": pool.name,
                "power_state": states[entry.endpoint.index].power.rawValue,
                "since_seconds": idle, "predicted_watts_saved": entry.saving.value,
                "provenance": pool.profile.provenance.rawValue,
                "switched": pool.sleepIsEnabled,
                "reason": "the expected load needs \(plan.required) of "
                    + "\(states.count) endpoints; not this one for \(Int(idle)) s, and its sleep "
                    + "pays after \(Int(entry.breakEven.seconds.rounded(.up))) s",
            ] as [String: Any]
        }
        let expected = plan.expected.enumerated().map { model, rate in
            [
                "model": gateway.directory.modelName(ModelID(model)),
                "requests_per_second": rate.sequences.rounded(toPlaces: 3),
                "input_tokens_per_second": rate.inputTokens.rounded(toPlaces: 1),
                "output_tokens_per_second": rate.outputTokens.rounded(toPlaces: 1),
            ] as [String: Any]
        }
        return [
            "drainable": drainable, "endpoints": states.count, "required": plan.required,
            "sized_for": expected,
            "predicted_watts_saved": plan.drainable.reduce(0) { $0 + $1.saving.value },
        ]
    }
}

extension Double {
    fileprivate func rounded(toPlaces places: Int) -> Double {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}
