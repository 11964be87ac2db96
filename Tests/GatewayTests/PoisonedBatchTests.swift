import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// Batches on which model servers err, and the one message that may be to blame.
    @Suite struct PoisonedBatchTests {
        private static let poisoned: @Sendable (String) -> [String] = { request in
            let texts = ClassifierBench.texts(request)
            if texts.contains("poison") { return [ClassifierBench.http(500, "{}")] }
            return [ClassifierBench.verdicts(texts)]
        }

        private func texts(_ count: Int, poison: Set<Int> = []) -> [String] {
            (0..<count).map { poison.contains($0) ? "poison" : "m\($0)" }
        }

        @Test func aMessageThatMakesTheServerErrFailsAlone() throws {
            try ClassifierBench.run { bench in
                bench.server.play(Self.poisoned)
                let response = bench.classify(texts(64, poison: [13]))
                var expected = texts(64)
                expected[13] = "undecided"
                #expect(ClassifierBench.labels(response) == expected)
                let entry = ClassifierBench.entries(response)[13]
                #expect(entry["reason"] as? String == "upstream_failed")
                // The whole, and two parts for each halving.
                #expect(bench.upstreamCount == 1 + 2 * 6)
            }
        }

        @Test func aloneInItsRequestItIsAnErrorWhereTheModelSaysSo() throws {
            try ClassifierBench.run({ $0.models[0].classification.whenUndecided = .error }) {
                bench in
                bench.server.play(Self.poisoned)
                #expect(bench.classify(["poison"]).status == 502)
                #expect(bench.classify(["fine"]).status == 200)
            }
        }

        @Test func poisonTakesNoEndpointOutOfRotation() throws {
            try ClassifierBench.run(servers: 3) { bench in
                for server in bench.servers { server.play(Self.poisoned) }
                // More of them than errors that eject an endpoint.
                for _ in 0..<8 {
                    let response = bench.classify(texts(8, poison: [5]))
                    var expected = texts(8)
                    expected[5] = "undecided"
                    #expect(ClassifierBench.labels(response) == expected)
                }
                #expect(bench.fixture.gateway.status().pools[0].usable == 3)
            }
        }

        @Test func batchesOfPoisonAloneTakeNoEndpointOutOfRotation() throws {
            try ClassifierBench.run(servers: 3) { bench in
                for server in bench.servers {
                    server.play { request in
                        let texts = ClassifierBench.texts(request)
                        return texts.contains { $0.hasPrefix("poison") }
                            ? [ClassifierBench.http(500, "{}")]
                            : [ClassifierBench.verdicts(texts)]
                    }
                }
                // One less than errors that eject: the whole batch errs once at each endpoint.
                for round in 0..<4 {
                    let response = bench.classify((0..<8).map { "poison \(round) \($0)" })
                    #expect(Set(ClassifierBench.labels(response)) == ["undecided"])
                }
                #expect(bench.fixture.gateway.status().pools[0].usable == 3)
                #expect(ClassifierBench.labels(bench.classify(["fine"])) == ["fine"])
            }
        }

        @Test func whereEveryPartFailsTheServerIsToBlame() throws {
            try ClassifierBench.run { bench in
                bench.server.play { _ in [ClassifierBench.http(500, "{}")] }
                let response = bench.classify(texts(64))
                #expect(Set(ClassifierBench.labels(response)) == ["undecided"])
                let most = 1 + 2 * BatchFamily.mostErrorsInARow
                #expect(bench.upstreamCount <= most, "\(bench.upstreamCount)")
            }
        }

        @Test func partsMayTakeSoManyRequestsOnly() throws {
            try ClassifierBench.run({ $0.limits.batchRetries = 4 }) { bench in
                bench.server.play(Self.poisoned)
                let labels = ClassifierBench.labels(bench.classify(texts(64, poison: [0])))
                #expect(labels == Array(repeating: "undecided", count: 16) + texts(64)[16...])
                #expect(bench.upstreamCount == 5)
            }
        }

        @Test func serversThatAreAwayGetTheBatchAsAWhole() throws {
            let answers = [
                ClassifierBench.http(502, "{}"), ClassifierBench.http(504, "{}"),
                ClassifierBench.http(503, "{}"), "HTTP/1.1 20",
            ]
            for answer in answers {
                try ClassifierBench.run(servers: 2, { $0.limits.queueTimeout = .seconds(1) }) {
                    bench in
                    for server in bench.servers { server.play([answer], .close) }
                    _ = bench.classify(texts(8), fields: ["x-request-timeout-ms": "1000"])
                    let sizes = bench.servers.flatMap { server in
                        server.requests.map { ClassifierBench.texts($0).count }
                    }
                    #expect(!sizes.isEmpty && sizes.allSatisfy { $0 == 8 }, "\(answer)")
                }
            }
        }

        @Test(arguments: [400, 500])
        func partsKeepTheirOrderWhereItCounts(status: Int) throws {
            try ClassifierBench.run({
                $0.models[0].batching?.preserveOrdering = true
                $0.models[0].batching?.maxBatchSize = 8
            }) { bench in
                bench.server.play { request in
                    let texts = ClassifierBench.texts(request)
                    if texts.contains("poison") { return [ClassifierBench.http(status, "{}")] }
                    return [ClassifierBench.verdicts(texts)]
                }
                let all = texts(12, poison: [2])
                var expected = all
                expected[2] = "undecided"
                #expect(ClassifierBench.labels(bench.classify(all)) == expected)
                let sent = bench.server.requests.map(ClassifierBench.texts)
                #expect(
                    sent == [0..<8, 0..<4, 0..<2, 2..<4, 2..<3, 3..<4, 4..<8, 8..<12]
                        .map { Array(all[$0]) })
            }
        }
    }
}
