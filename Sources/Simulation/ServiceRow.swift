import InferenceTypes

/// One service in one run.
public struct ServiceRow: Codable, Hashable, Sendable {
    public var name: String
    public var serviceClass: String
    public var model: Int
    public var requests: Int
    /// Share of its requests whose promise was kept; without a promise, that got an answer.
    public var attainment: Double
    /// Tokens, read and written, of the answers that came while requests still arrived, over all
    /// that were asked for.
    public var served: Double
    public var inputTokens: Int
    public var outputTokens: Int
    public var turnedAway: Int

    enum CodingKeys: String, CodingKey {
        case name, model, requests, attainment, served
        case serviceClass = "class"
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
        case turnedAway = "turned_away"
    }

    public static func rows(_ record: RunRecord, _ services: [Workload.Service]) -> [ServiceRow] {
        let end = record.outcomes.last?.arrivedAt ?? .zero
        return services.indices.map { index in
            let service = services[index]
            let own = record.outcomes.filter { $0.service == index }
            let done = own.filter { $0.finishedAt.map { $0 <= end } ?? false }
            func tokens(_ outcomes: [RequestOutcome]) -> Double {
                Double(outcomes.reduce(0) { $0 + $1.inputTokens + $1.outputTokens })
            }
            return ServiceRow(
                name: service.name, serviceClass: service.serviceClass.rawValue,
                model: service.model.index, requests: own.count,
                attainment: own.isEmpty
                    ? 1 : Double(own.count { $0.met(service.objective) }) / Double(own.count),
                served: own.isEmpty ? 1 : tokens(done) / tokens(own),
                inputTokens: own.reduce(0) { $0 + $1.inputTokens },
                outputTokens: own.reduce(0) { $0 + $1.outputTokens },
                turnedAway: own.count { $0.finishedAt == nil })
        }
    }
}
