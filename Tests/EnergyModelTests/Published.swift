import Foundation
import InferenceTypes

@testable import EnergyModel

/// Tables that others measured and published; `NOTICE` beside them says who.
enum Published {
    /// One row by the names of its columns.
    typealias Row = [Substring: Substring]

    static func table(_ name: String, file: String = #filePath) throws -> [Row] {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        let url = folder.appendingPathComponent("../Fixtures/published/\(name)")
        let lines = try String(contentsOf: url, encoding: .utf8)
            .split(whereSeparator: \.isNewline)
        let names = lines[0].split(separator: ",", omittingEmptySubsequences: false)
        return lines.dropFirst().map { line in
            let cells = line.split(separator: ",", omittingEmptySubsequences: false)
            return Dictionary(uniqueKeysWithValues: zip(names, cells))
        }
    }

    /// One batch size of one group of the ML.ENERGY leaderboard.
    struct Operation {
        var batch: Double
        var joulesPerToken: Double
        var watts: Double
        var tokensPerSecond: Double
        var outputTokens: Double

        var iterationSeconds: Double { batch / tokensPerSecond }
        /// Of one step, idle power included.
        var iterationJoules: Double { joulesPerToken * batch }
    }

    /// By model, precision and number of accelerators, ascending by batch.
    static func leaderboard(on accelerator: String) throws -> [String: [Operation]] {
        var groups: [String: [Operation]] = [:]
        for row in try table("ml-energy-v3-lm-arena-chat.csv")
        where row["gpu_model"].map(String.init) == accelerator {
            let key = ["model_id", "weight_precision", "num_gpus"].map { row[$0, default: ""] }
            let group = key.joined(separator: " ")
            groups[group, default: []].append(
                Operation(
                    batch: row.number("avg_batch_size"),
                    joulesPerToken: row.number("energy_per_token_joules"),
                    watts: row.number("avg_power_watts"),
                    tokensPerSecond: row.number("output_throughput_tokens_per_sec"),
                    outputTokens: row.number("avg_output_len")))
        }
        return groups.mapValues { $0.sorted { $0.batch < $1.batch } }
    }

    /// A group as a profile. Its step times contain the prefill of the chat prompts.
    static func profile(_ rows: [Operation], name: String = "published") -> Profile {
        Profile(
            name: name, model: name, accelerator: "H100", provenance: .measured,
            idlePower: Watts(1), sleepPower: Watts(1), wakeTime: .zero, wakeEnergy: .zero,
            maxBatch: Int(rows.last?.batch.rounded(.up) ?? 1), prefillTokensPerSecond: 1e9,
            prefillPower: Watts(1), weightsGigabytes: 0, kvKilobytesPerToken: 0,
            meterScope: .accelerator, decodeBuckets: [],
            knots: rows.map {
                Profile.Knot(
                    batch: $0.batch, iterationTime: TimeSpan(seconds: $0.iterationSeconds),
                    power: Watts($0.watts), provenance: .measured)
            })
    }
}

extension Published.Row {
    func number(_ name: Substring) -> Double { self[name].flatMap { Double($0) } ?? .nan }
}

/// The sample below which a share of all lies.
func quantile(_ share: Double, _ samples: [Double]) -> Double {
    let rank = Int((share * Double(samples.count)).rounded(.up))
    return samples.isEmpty ? .nan : samples.sorted()[min(max(rank, 1), samples.count) - 1]
}
