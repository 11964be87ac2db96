import Configuration
import Foundation
import InferenceTypes
import Synchronization
import Testing

@testable import Gateway

extension OverSockets {
    /// Messages that are the same and wait at the same time.
    @Suite struct CompanyTests {
        private static let slow: @Sendable (String) -> [String] = { request in
            usleep(150_000)
            return [ClassifierBench.verdicts(ClassifierBench.texts(request))]
        }

        private final class Counter: Sendable {
            private let value = Mutex(0)
            /// 0, 1, 2 ...
            func next() -> Int { value.withLock { value in defer { value += 1 }; return value } }
        }

        private func run(
            servers: Int = 1,
            _ change: @escaping (inout GatewayConfiguration) -> Void = { _ in },
            _ body: (ClassifierBench) throws -> Void
        ) throws {
            try ClassifierBench.run(servers: servers, {
                $0.models[0].classification.cache.entries = 100
                change(&$0)
            }) { bench in
                try body(bench)
                #expect(bench.fixture.gateway.classification.waiting[0].count == 0)
            }
        }

        private func stages(_ response: RawResponse) -> [String] {
            ClassifierBench.entries(response).map { $0["stage"] as? String ?? "-" }
        }

        private func sent(_ bench: ClassifierBench) -> [[String]] {
            bench.server.requests.map(ClassifierBench.texts)
        }

        @Test func aCampaignGoesUpstreamOnce() throws {
            try run { bench in
                bench.server.play(Self.slow)
                let pending = Concurrently.map(8) { _ in
                    bench.classify(Array(repeating: "buy now", count: 125))
                }
                #expect(pending.allSatisfy { $0.status == 200 })
                let stages = pending.flatMap { self.stages($0) }
                #expect(stages.count == 1_000)
                #expect(stages.count { $0 == "accelerator" } == 1)
                #expect(stages.allSatisfy { ["accelerator", "shared", "cache"].contains($0) })
                #expect(pending.allSatisfy { Set(ClassifierBench.labels($0)) == ["buy now"] })
                #expect(sent(bench) == [["buy now"]])
                let page = bench.fixture.admin("/classification")
                #expect((page["shared"] as? Int ?? 0) >= 124)
            }
        }

        @Test func withoutACacheAndWhereOrderCountsEachGoesItself() throws {
            try run({ $0.models[0].classification.cache.entries = 0 }) { bench in
                bench.server.play(Self.slow)
                #expect(stages(bench.classify(["a", "a"])) == ["accelerator", "accelerator"])
            }
            try run({ $0.models[0].batching?.preserveOrdering = true }) { bench in
                bench.server.play(Self.slow)
                #expect(stages(bench.classify(["a", "a"])) == ["accelerator", "accelerator"])
            }
        }

        @Test func whoFollowsNeedsNobodyElsesClient() throws {
            try run { bench in
                bench.server.play(Self.slow)
                var leader: RawClient? = try bench.fixture.client()
                leader?.request(
                    "POST", "/v1/classify", "{\"model\":\"test-model\",\"input\":\"a\"}")
                #expect(Patience.wait(for: .seconds(5)) { bench.upstreamCount == 1 })
                let follower = Background { bench.classify(["a"]) }
                let waiting = bench.fixture.gateway.classification.waiting[0]
                #expect(Patience.wait(for: .seconds(5)) { waiting.count == 1 })
                leader = nil
                #expect(follower.value().map { stages($0) } == ["shared"])
                #expect(sent(bench) == [["a"]])
            }
        }

        @Test func theNextOneLeadsIfTheLeaderLeavesBeforeItWasSent() throws {
            try run { bench in
                bench.server.play(Self.slow)
                let waiting = bench.fixture.gateway.classification.waiting[0]
                let first = Background { bench.classify(["x"]) }
                #expect(Patience.wait(for: .seconds(5)) { bench.upstreamCount == 1 })
                // The one place is taken: these wait.
                var leader: RawClient? = try bench.fixture.client()
                leader?.request(
                    "POST", "/v1/classify", "{\"model\":\"test-model\",\"input\":[\"a\",\"a\"]}")
                #expect(Patience.wait(for: .seconds(5)) { waiting.count == 2 })
                let followers = [
                    Background { bench.classify(["a"]) }, Background { bench.classify(["a"]) },
                ]
                #expect(Patience.wait(for: .seconds(5)) { waiting.count == 4 })
                leader = nil
                let stages = followers.compactMap { $0.value() }.flatMap { self.stages($0) }
                #expect(stages.sorted() == ["accelerator", "shared"])
                #expect(first.value()?.status == 200)
                #expect(sent(bench) == [["x"], ["a"]])
            }
        }

        @Test func aCrowdThatLeavesIsNotLookedThroughForEachOfIt() throws {
            try run { bench in
                bench.server.play { request in
                    let texts = ClassifierBench.texts(request)
                    usleep(texts == ["a"] ? 3_000_000 : 500_000)
                    return [ClassifierBench.verdicts(texts)]
                }
                // Batches take their time here: nobody thinks that the next one hangs.
                #expect(bench.classify(["b"]).status == 200)
                let leader = Background { bench.classify(["a"]) }
                #expect(Patience.wait(for: .seconds(5)) { bench.upstreamCount == 2 })
                let board = bench.fixture.gateway.classification
                var crowd: RawClient? = try bench.fixture.client()
                let texts = Array(repeating: "\"a\"", count: 4_000).joined(separator: ",")
                crowd?.request(
                    "POST", "/v1/classify", "{\"model\":\"test-model\",\"input\":[\(texts)]}")
                #expect(Patience.wait(for: .seconds(5)) { board.waiting[0].count == 4_000 })
                crowd = nil
                #expect(Patience.wait(for: .seconds(5)) { board.waiting[0].count == 0 })
                #expect(leader.value().map { stages($0) } == ["accelerator"])
                // Each sweep halves them.
                #expect((4_000...8_000).contains(board.sum(.swept)))
            }
        }

        @Test func everyFollowerKeepsItsOwnDeadline() throws {
            try run { bench in
                bench.server.play { request in
                    usleep(600_000)
                    return [ClassifierBench.verdicts(ClassifierBench.texts(request))]
                }
                let leader = Background { bench.classify(["a"]) }
                #expect(Patience.wait(for: .seconds(5)) { bench.upstreamCount == 1 })
                let follower = Background {
                    bench.classify(["a"], fields: ["x-request-timeout-ms": "100"])
                }
                let waited = Patience.measure {
                    #expect(follower.value().map { stages($0) } == ["none"])
                }
                #expect(waited < .milliseconds(500))
                #expect(leader.value().map { stages($0) } == ["accelerator"])
                #expect(sent(bench) == [["a"]])
            }
        }

        @Test func nobodyFollowsABatchThatHangs() throws {
            try run(servers: 2, { $0.limits.upstreamFirstByteTimeout = .milliseconds(600) }) {
                bench in
                let requests = Counter()
                for server in bench.servers {
                    server.play { request in
                        if requests.next() == 0 { return [] }
                        return [ClassifierBench.verdicts(ClassifierBench.texts(request))]
                    }
                }
                let leader = Background { bench.classify(["a"]) }
                #expect(Patience.wait(for: .seconds(5)) { bench.upstreamCount == 1 })
                Patience.pause(.milliseconds(100))
                let waited = Patience.measure {
                    #expect(stages(bench.classify(["a"])) == ["accelerator"])
                }
                #expect(waited < .milliseconds(400))
                #expect(leader.value()?.status == 200)
            }
        }

        @Test func whatOneIsRefusedForTheOthersAreAskedAgain() throws {
            for status in [400, 500] {
                try run { bench in
                    bench.server.play { request in
                        let texts = ClassifierBench.texts(request)
                        if texts.contains("POISON") { return [ClassifierBench.http(status, "{}")] }
                        return [ClassifierBench.verdicts(texts)]
                    }
                    // The same to the cache, not to the server.
                    let response = bench.classify(["b", "POISON", "poison", "poison"])
                    #expect(
                        ClassifierBench.labels(response)
                            == ["b", "undecided", "poison", "poison"], "\(status)")
                }
            }
        }

        @Test func theVeryBytesOfTheLeaderAreNotAskedAgain() throws {
            for status in [400, 500] {
                try run(servers: 3) { bench in
                    for server in bench.servers {
                        server.play { request in
                            let texts = ClassifierBench.texts(request)
                            return texts.contains("POISON")
                                ? [ClassifierBench.http(status, "{}")]
                                : [ClassifierBench.verdicts(texts)]
                        }
                    }
                    let response = bench.classify(Array(repeating: "POISON", count: 64))
                    #expect(response.status == (status == 400 ? 400 : 200))
                    if status == 500 {
                        #expect(Set(ClassifierBench.labels(response)) == ["undecided"])
                    }
                    // What the server minds is not asked again; what it errs on, once each.
                    #expect(bench.upstreamCount == (status == 400 ? 1 : 3))
                    #expect(bench.servers.allSatisfy { server in
                        server.requests.allSatisfy { ClassifierBench.texts($0) == ["POISON"] }
                    })
                }
            }
        }

        @Test func aLeaderThatMakesTheServerErrTakesNobodyAlong() throws {
            try run { bench in
                bench.server.play { request in
                    let texts = ClassifierBench.texts(request)
                    if texts == ["POISON"] {
                        usleep(200_000)
                        return [ClassifierBench.http(500, "{}")]
                    }
                    return [ClassifierBench.verdicts(texts)]
                }
                let leader = Background { bench.classify(["POISON"]) }
                #expect(Patience.wait(for: .seconds(5)) { bench.upstreamCount == 1 })
                #expect(ClassifierBench.labels(bench.classify(["poison"])) == ["poison"])
                #expect(leader.value().map(ClassifierBench.labels) == ["undecided"])
                #expect(sent(bench) == [["POISON"], ["poison"]])
            }
        }

        @Test func nobodyIsThereForTheFollowersEither() throws {
            try run({ $0.limits.queueTimeout = .milliseconds(300) }) { bench in
                bench.server.play([], .close)
                let response = bench.classify(["a", "a", "a"])
                #expect(ClassifierBench.labels(response) == ["undecided", "undecided", "undecided"])
                #expect(sent(bench).allSatisfy { $0 == ["a"] })
            }
        }
    }
}
