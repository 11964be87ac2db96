import InferenceTypes
import Scheduling

/// The requests of a journal as something to simulate, on a fleet of the journal's profiles: what
/// another policy would have done with them. Only requests that generate and of whose answer the
/// tokens are known can be played; the others are counted.
public struct JournalWorkload: Sendable {
    public private(set) var workload = Workload()
    public let fleet: SimulatedFleet
    /// With which the gateway started.
    public let configuration: Scheduler.Configuration
    /// Classifiers and the like.
    public private(set) var withoutTokens = 0
    /// Turned away, ended before anybody counted a token, or of more tokens than can be.
    public private(set) var unknown = 0

    /// Of one answer or prompt: no engine holds more, and an emulated one would not end.
    static let mostTokens = 1 << 24

    private struct Open {
        var request: InferenceRequest
        var at: MonotonicTime
        var tokens = 0
    }

    /// What cannot be simulated, in words.
    public struct Unsuitable: Error, CustomStringConvertible {
        public var description: String
    }

    /// Reads to the end, or to where the journal is damaged.
    public init(_ journal: JournalReader) throws {
        var reader = journal
        configuration = reader.head.configuration
        fleet = try Self.fleet(of: configuration)
        var open: [RequestID: Open] = [:]
        var services: [Workload.Service: Int] = [:]
        while let record = try reader.next() {
            switch record.event {
            case .arrived(let request):
                if request.task.generates {
                    open[request.id] = Open(request: request, at: record.at)
                } else {
                    withoutTokens += 1
                }
            case .progress(let reports):
                for report in reports { open[report.request]?.tokens = report.outputTokens }
            case .withdrawn(let id):
                add(open.removeValue(forKey: id), Usage(), reader.head.start, &services)
            case .finished(let id, let completion):
                add(
                    open.removeValue(forKey: id), completion.usage, reader.head.start, &services)
            default: break
            }
        }
        // Turned away, or still under way.
        unknown += open.count
        workload.sort()
    }

    private mutating func add(
        _ open: Open?, _ usage: Usage, _ start: MonotonicTime,
        _ services: inout [Workload.Service: Int]
    ) {
        guard let open else { return }
        let request = open.request
        let choices = min(max(request.choices, 1), 64)
        let output = max(usage.outputTokens ?? open.tokens, 0) / choices
        let input = max(usage.inputTokens ?? request.promptBytes / 4, 1)
        guard output > 0, max(input, output) <= Self.mostTokens, open.at >= start else {
            unknown += 1
            return
        }
        let usual = configuration.objectives[request.serviceClass.rank]
        let service = Workload.Service(
            name: "tenant \(request.tenant.index)", tenant: request.tenant,
            model: request.model, task: request.task, serviceClass: request.serviceClass,
            objective: LatencyObjective(
                timeToFirstToken: request.objective.timeToFirstToken ?? usual.timeToFirstToken,
                interTokenLatency: request.objective.interTokenLatency
                    ?? usual.interTokenLatency))
        let index = services[service] ?? workload.add(service)
        services[service] = index
        for _ in 0..<choices {
            workload.append(
                (open.at - start).seconds, index,
                TraceRow(arrival: .zero, inputTokens: input, outputTokens: output))
        }
    }

    /// Pools whose endpoints stand together and have one profile, as a gateway's do.
    private static func fleet(
        of configuration: Scheduler.Configuration
    ) throws -> SimulatedFleet {
        var next = 0
        let pools = try configuration.pools.enumerated().map { index, pool in
            let endpoints = configuration.endpoints[next...].prefix { $0.pool.index == index }
            next += endpoints.count
            guard let first = endpoints.first,
                endpoints.allSatisfy({ $0.profile == first.profile })
            else { throw Unsuitable(description: "pool '\(pool.name)' is not of one kind") }
            return SimulatedFleet.Pool(
                name: pool.name, engine: pool.engine, profile: first.profile,
                count: endpoints.count, models: pool.models)
        }
        guard next == configuration.endpoints.count else {
            throw Unsuitable(description: "endpoints do not stand in the order of their pools")
        }
        return SimulatedFleet(pools: pools)
    }

    /// What the gateway did, under its own rules, with another policy.
    public func adjusted(_ director: Director) -> Director {
        var director = director
        let journalled = configuration
        let change = director.adjust
        director.adjust = { simulated in
            var own = journalled
            own.policy = simulated.policy
            // One meter for each emulated engine, whatever the gateway had.
            own.meters = simulated.meters
            own.reportsAttribution = simulated.reportsAttribution
            own.chargesContext = simulated.chargesContext
            own.learns = simulated.learns
            own.shadowPolicy = nil
            for index in own.endpoints.indices {
                own.endpoints[index].canSleep = simulated.endpoints[index].canSleep
            }
            simulated = own
            change(&simulated)
        }
        return director
    }
}
