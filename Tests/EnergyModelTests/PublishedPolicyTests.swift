import InferenceTypes
import Testing

@testable import EnergyModel

/// Decisions and curves of other people's models, computed again from what they published.
@Suite struct PublishedPolicyTests {
    // MARK: A hybrid cluster with a length threshold

    /// Lengths up to the threshold go to the small machine. Every length of the sweep comes as
    /// often as any other; the paper's own mix of lengths is not at hand.
    private func bestThreshold(_ sweep: Substring) throws -> Double {
        let rows = try Published.table("hybrid-cluster.csv").filter { $0["sweep"] == sweep }
        #expect(rows.count >= 7)
        func joules(_ threshold: Double) -> Double {
            rows.reduce(0) { sum, row in
                let tokens = row.number("tokens")
                let small = tokens <= threshold
                let column: Substring =
                    small ? "m1_pro_joules_per_token" : "a100_joules_per_token"
                return sum + tokens * row.number(column)
            }
        }
        let thresholds = [0] + rows.map { $0.number("tokens") }
        return thresholds.min { joules($0) < joules($1) } ?? 0
    }

    @Test func theHybridClustersThresholdsAreFound() throws {
        let input = try bestThreshold("input")
        let output = try bestThreshold("output")
        #expect([16, 32].contains(input))
        #expect([32, 64].contains(output))
    }

    // MARK: A logistic power curve

    /// `P = low + range / (1 + exp(-k (log2 B - x0)))`: the form of a public fleet simulator,
    /// here only to be compared with.
    private struct Logistic {
        var low: Double
        var range: Double
        var steepness: Double
        var middle: Double

        func watts(at batch: Double) -> Double {
            let z = steepness * (Mathematics.log2(batch) - middle)
            return low + range / (1 + Mathematics.exp(-z))
        }

        /// The most sequences, `most` at most, at which one accelerator stays within `cap`; one if
        /// there is no such number.
        func concurrency(within cap: Double, most: Int) -> Int {
            (1...most).last { watts(at: Double($0)) <= cap } ?? 1
        }
    }

    private let h100 = Logistic(low: 300, range: 300, steepness: 1, middle: 4.2)

    @Test func theLogisticCurveGivesThePublishedWatts() {
        let published = [304.4, 311.7, 329.9, 369.4, 435.0, 507.0, 557.4, 582.8, 593.4]
        for (exponent, watts) in published.enumerated() {
            let batch = Mathematics.pow(2, Double(exponent))
            #expect((h100.watts(at: batch) - watts).magnitude <= 0.1)
        }
    }

    /// 40 accelerators, each to be held to a share of 600 W by running fewer sequences. Two of the
    /// nine published concurrencies, 17 and 6, are one below the largest that fits.
    @Test func theGridReductionRowsFollow() {
        let rows: [(cut: Double, concurrency: Int, kilowatts: Double)] = [
            (0, 128, 23.3), (0.05, 84, 22.8), (0.10, 48, 21.6), (0.15, 33, 20.4),
            (0.20, 24, 19.1), (0.25, 17, 17.7), (0.30, 13, 16.5), (0.40, 6, 14.0),
            (0.50, 1, 12.2),
        ]
        var exact = 0
        for row in rows {
            let found = h100.concurrency(within: 600 * (1 - row.cut), most: 128)
            #expect((0...1).contains(found - row.concurrency))
            exact += found == row.concurrency ? 1 : 0
            let kilowatts = 40 * h100.watts(at: Double(row.concurrency)) / 1_000
            #expect((kilowatts / row.kilowatts - 1).magnitude <= 0.01)
        }
        #expect(exact == 7)
    }

    /// The same tokens on more accelerators, each less full. One published row gives the
    /// throughput, the other four follow. (The A100 row cannot be computed: its utilisation is
    /// not published.)
    @Test func theTokensPerJouleSweepFollowsFromItsBestRow() {
        let full = 0.82 * 128
        let throughput = 9.38 * 12 * h100.watts(at: full)
        for (count, tokensPerJoule) in [(13.0, 8.70), (17, 6.78), (25, 4.79), (49, 2.75)] {
            let watts = count * h100.watts(at: full * 12 / count)
            #expect((throughput / watts / tokensPerJoule - 1).magnitude <= 0.01)
        }
    }

    // MARK: A timing table

    /// Five runs of each configuration. The median of four is a knot, the fifth is foretold by the
    /// line through the knots: seen within 1.4 % in nine of ten cases.
    @Test func tokenTimesOfRunsLeftOutAreForetold() throws {
        var errors: [Double] = []
        for batches in try timings().values {
            for left in 0..<5 {
                let knots = batches.keys.sorted().map { batch in
                    let times = batches[batch, default: []]
                    let rest = times.indices.filter { $0 != left }.map { times[$0] }
                    return (batch, quantile(0.5, rest))
                }
                let line = LogLogInterpolation(knots)
                for (batch, times) in batches where times.indices.contains(left) {
                    errors.append((line.value(at: batch) / times[left] - 1).magnitude)
                }
            }
        }
        print("runs left out: \(errors.count), p90", quantile(0.9, errors))
        #expect(errors.count > 200)
        #expect(quantile(0.5, errors) <= 0.01)
        #expect(quantile(0.9, errors) <= 0.02)
    }

    /// A whole batch size left out, 2 to 16: 1.7 % in the middle, 3.9 % at most but for one row
    /// of two H100, 9.5 %. At 32 the line misses by 7 to 19 %: between 32 and 64 the table has a
    /// kink, and on two accelerators 64 sequences are faster than 32.
    @Test func tokenTimesOfBatchesLeftOutAreForetold() throws {
        var errors: [Double] = []
        for batches in try timings().values {
            let knots = batches.keys.sorted().map { ($0, quantile(0.5, batches[$0, default: []])) }
            for left in [2.0, 4, 8, 16] {
                let line = LogLogInterpolation(knots.filter { $0.0 != left })
                let truth = knots.first { $0.0 == left }?.1 ?? .nan
                errors.append((line.value(at: left) / truth - 1).magnitude)
            }
        }
        print("batches left out: \(errors.count):", quantile(0.5, errors), quantile(0.9, errors))
        #expect(quantile(0.5, errors) <= 0.02)
        #expect(quantile(0.9, errors) <= 0.04)
    }

    /// At 70 % of the server's power a prompt takes 1.30 times as long and a token no longer.
    @Test func aPowerCapSlowsPromptsAndNotTokens() throws {
        func runs(_ hardware: Substring) throws -> [Published.Row] {
            try Published.table("splitwise-perf-model.csv").filter { $0["hardware"] == hardware }
        }
        let free = try runs("h100-80gb")
        let capped = try runs("h100-80gb-pcap")
        #expect(free.count == capped.count && free.count > 400)
        for (one, other) in zip(free, capped) {
            let prompt = 1.3 * one.number("prompt_time")
            #expect(near(other.number("prompt_time"), prompt, within: 1e-9))
            #expect(near(other.number("token_time"), one.number("token_time"), within: 1e-9))
        }
    }

    /// Token times by batch, of the measured machines, prompts of 512 tokens, answers of 128.
    private func timings() throws -> [String: [Double: [Double]]] {
        var groups: [String: [Double: [Double]]] = [:]
        for row in try Published.table("splitwise-perf-model.csv")
        where row["prompt_size"] == "512" && row["token_size"] == "128"
            && row["hardware"] != "h100-80gb-pcap"
        {
            let names = ["model", "hardware", "tensor_parallel"] as [Substring]
            let group = names.map { row[$0, default: ""] }.joined(separator: " ")
            groups[group, default: [:]][row.number("batch_size"), default: []]
                .append(row.number("token_time"))
        }
        return groups
    }
}
