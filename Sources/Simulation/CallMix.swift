import EnergyModel
import InferenceTypes

/// What a telephone company's services ask for beside chat: summaries in bursts, notes of long
/// calls and judgements of messages. All of it synthetic, but for the lengths of the summaries.
public struct CallMix: Sendable {
    /// Lengths of documents and of their summaries.
    public var summaries: [TraceRow]
    /// Of what the fleet can do beyond the promised services, the part that bulk asks for.
    public var bulkShare = 0.5
    /// Of that, the part of the messages; the rest are notes.
    public var messageShare = 0.1
    /// Mean time between two bursts of summaries, and their mean number.
    public var burstInterval = 45.0
    public var burstSize = 6.0
    /// First token within 2 s, then one per 100 ms in the mean.
    public var summaryObjective = LatencyObjective(
        timeToFirstToken: .seconds(2), interTokenLatency: .milliseconds(100))

    public init(summaries: [TraceRow]) { self.summaries = summaries }

    /// Adds the three services of one model to a workload that has the chat already.
    public func add(
        to workload: inout Workload, model: ModelID, tenant: Int, fleet: SimulatedFleet,
        seconds: Double, random: inout RandomSource
    ) {
        let length = TimeSpan(seconds: seconds)
        workload.add(
            .init(
                name: "summary", tenant: TenantID(tenant), model: model, serviceClass: .default,
                objective: summaryObjective),
            rows: bursts(seconds, &random), length: length)
        let speed = EngineSpeed(fleet, model: model)
        let promised = workload.arrivals.reduce(0.0) { sum, arrival in
            workload.services[arrival.service].model == model
                ? sum + speed.share(arrival.inputTokens, arrival.outputTokens) : sum
        }
        let spare = max(seconds - promised, 0) * bulkShare
        let none = LatencyObjective()
        workload.add(
            .init(
                name: "notes", tenant: TenantID(tenant + 1), model: model, serviceClass: .bulk,
                objective: none),
            rows: steady(spare * (1 - messageShare), seconds, speed, &random) { random in
                (20_000 + random.nextIndex(below: 40_000), 500 + random.nextIndex(below: 1_000))
            }, length: length)
        workload.add(
            .init(
                name: "spam", tenant: TenantID(tenant + 2), model: model, serviceClass: .bulk,
                objective: none),
            rows: steady(spare * messageShare, seconds, speed, &random) { random in
                (60 + random.nextIndex(below: 300), 1 + random.nextIndex(below: 8))
            }, length: length)
    }

    private func bursts(_ seconds: Double, _ random: inout RandomSource) -> [TraceRow] {
        var rows: [TraceRow] = []
        guard !summaries.isEmpty else { return [] }
        var at = exponential(burstInterval, &random)
        while at < seconds {
            let count = max(Int(exponential(burstSize, &random).rounded(.up)), 1)
            var within = 0.0
            for _ in 0..<count {
                var row = summaries[random.nextIndex(below: summaries.count)]
                row.arrival = TimeSpan(seconds: at + within)
                rows.append(row)
                within += exponential(0.1, &random)
            }
            at += exponential(burstInterval, &random)
        }
        return rows.sorted { $0.arrival < $1.arrival }
    }

    /// Arrivals without memory, `work` fleet seconds of them in the mean.
    private func steady(
        _ work: Double, _ seconds: Double, _ speed: EngineSpeed, _ random: inout RandomSource,
        _ size: (inout RandomSource) -> (Int, Int)
    ) -> [TraceRow] {
        guard work > 0 else { return [] }
        var rows: [TraceRow] = []
        var left = work
        while left > 0, rows.count < 1_000_000 {
            let (input, output) = size(&random)
            left -= speed.share(input, output)
            let at = random.nextUnit() * seconds
            rows.append(
                TraceRow(
                    arrival: TimeSpan(seconds: at), inputTokens: input, outputTokens: output))
        }
        return rows.sorted { $0.arrival < $1.arrival }
    }

    private func exponential(_ mean: Double, _ random: inout RandomSource) -> Double {
        -mean * Mathematics.log(1 - random.nextUnit())
    }
}

/// How fast the endpoints of one model work together, each at the largest batch that keeps a gap of
/// 45 ms.
struct EngineSpeed {
    private var engines: [(prefill: Double, token: Double)] = []

    init(_ fleet: SimulatedFleet, model: ModelID) {
        for pool in fleet.pools where pool.models.contains(model) && pool.count > 0 {
            let curve = IterationCurve(pool.profile)
            var batch = 1
            while batch < curve.capacity,
                curve.iterationTime(batch: batch + 1) <= .milliseconds(45)
            {
                batch += 1
            }
            let rate = max(pool.profile.prefillTokensPerSecond, 1e-9)
            let token = curve.iterationTime(batch: batch).seconds / Double(batch)
            engines += Array(repeating: (1 / rate, token), count: pool.count)
        }
    }

    /// Seconds that the whole fleet of the model needs for such a request.
    func share(_ input: Int, _ output: Int) -> Double {
        let perSecond = engines.reduce(0.0) {
            $0 + 1 / ($1.prefill * Double(input) + $1.token * Double(output))
        }
        return perSecond > 0 ? 1 / perSecond : 0
    }
}
