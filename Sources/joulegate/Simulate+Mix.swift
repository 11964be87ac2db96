import ArgumentParser
import Foundation
import InferenceTypes
import Simulation

/// Services beside those of the traces.
struct MixOptions: ParsableArguments {
    enum Mix: String, ExpressibleByArgument, CaseIterable { case call }

    @Option(
        help: """
            call: bursts of summaries (class default), and as bulk notes of long calls and \
            judgements of messages; for each model.
            """)
    var mix: Mix?

    @Option(help: "CSV with num_prefill_tokens, num_decode_tokens: lengths of summaries.")
    var summaries = "Tests/Fixtures/traces/arxiv-summarization-lengths.csv"

    @Option(help: "What bulk asks for, as a share of what the promised services leave.")
    var bulkShare = 0.5

    func validate() throws {
        guard (0...10).contains(bulkShare) else {
            throw ValidationError("--bulk-share: 0 to 10")
        }
    }

    /// Chat for every model, by what its pools can carry, and the other services of the mix.
    func workload(
        _ traces: [(String, [TraceRow])], on fleet: SimulatedFleet, speed: Double, seconds: Double,
        seed: UInt64
    ) throws -> Workload {
        var random = RandomSource(seed: seed)
        var workload = Workload()
        let models = 1 + (fleet.pools.flatMap(\.models).map(\.index).max() ?? 0)
        for (index, (path, rows)) in traces.enumerated() {
            let parts = ModelShares(fleet, models: models).split(rows)
            for model in 0..<models {
                workload.add(
                    .init(name: path, tenant: TenantID(index), model: ModelID(model)),
                    rows: parts[model], speed: speed, length: TimeSpan(seconds: seconds))
            }
        }
        guard self.mix != nil else { return workload }
        var chosen = CallMix(summaries: try TraceFile.loadLengths(path: summaries))
        chosen.bulkShare = bulkShare
        for model in 0..<models {
            chosen.add(
                to: &workload, model: ModelID(model), tenant: traces.count + 3 * model,
                fleet: fleet, seconds: seconds, random: &random)
        }
        return workload
    }

    func show(_ record: RunRecord, _ services: [Workload.Service]) {
        for row in ServiceRow.rows(record, services) {
            let name = (row.name as NSString).lastPathComponent
            print(
                String(
                    format: "    %@ (%@, model %d): %d requests, %.2f%% kept, %.1f%% served in "
                        + "time, %d + %d tokens, %d turned away",
                    name, row.serviceClass, row.model, row.requests, row.attainment * 100,
                    row.served * 100, row.inputTokens, row.outputTokens, row.turnedAway))
        }
    }
}
