import Configuration
import EnergyModel
import InferenceTypes
import Testing

@testable import Gateway

@Suite struct BatchEnergyTests {
    @Test(arguments: [0, 1, 10, 999_999_999_999, Int64.max])
    func sharesAddUpToTheWhole(amount: Int64) {
        for count in [1, 2, 3, 7, 64] {
            let whole = RequestEnergy(
                marginal: Microjoules(amount / 3), total: Microjoules(amount),
                provenance: .assumed, scopes: [.card], isEstimated: true)
            let energy = BatchEnergy(whole: whole, count: count)
            let shares = (0..<count).map { energy.share($0) }
            #expect(shares.reduce(.nothing, +) == whole)
            let amounts = shares.map(\.total.value)
            #expect((amounts.max() ?? 0) - (amounts.min() ?? 0) <= 1)
        }
    }
}

extension OverSockets {
    /// What a message of a batch has cost, told to those who ask.
    @Suite struct MessageEnergyTests {
        private let asks = ["x-joulegate-energy": "true"]

        private func run(_ body: (ClassifierBench) throws -> Void) throws {
            try ClassifierBench.run({ $0.models[0].classification.cache.entries = 100 }) { bench in
                bench.server.play { [ClassifierBench.verdicts(ClassifierBench.texts($0))] }
                try body(bench)
            }
        }

        private func joules(_ response: RawResponse) -> [Double?] {
            ClassifierBench.entries(response).map { $0["joules"] as? Double }
        }

        private func energy(_ response: RawResponse) -> [String: Any]? {
            JSONText.object(response.body)["energy"] as? [String: Any]
        }

        @Test func eachMessageHasItsShareOfItsBatch() throws {
            try run { bench in
                let response = bench.classify(["a", "b", "c"], fields: asks)
                #expect(ClassifierBench.labels(response) == ["a", "b", "c"])
                let shares = joules(response).compactMap { $0 }
                #expect(shares.count == 3 && shares.allSatisfy { $0 > 0 })
                let whole = energy(response)?["joules"] as? Double ?? 0
                #expect(abs(shares.reduce(0, +) - whole) < 1e-9)
                #expect(energy(response)?["provenance"] is String)
            }
        }

        @Test func whatNoAcceleratorDidCostsNothing() throws {
            try run { bench in
                #expect(bench.classify(["a"]).status == 200)
                let response = bench.classify(["a", "b", "b"], fields: asks)
                let stages = ClassifierBench.entries(response).map { $0["stage"] as? String }
                #expect(stages == ["cache", "accelerator", "shared"])
                let shares = joules(response)
                #expect(shares[0] == 0 && shares[2] == 0 && shares[1] ?? 0 > 0)
                let cached = bench.classify(["a"], fields: asks)
                #expect(joules(cached) == [0] && energy(cached)?["joules"] as? Double == 0)
            }
        }

        @Test func whoDoesNotAskIsNotTold() throws {
            try run { bench in
                let response = bench.classify(["a", "b"])
                #expect(joules(response) == [nil, nil] && energy(response) == nil)
            }
        }
    }
}
