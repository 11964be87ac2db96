import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// How many messages may wait, and who is turned away.
    @Suite struct ClassifierQueueTests {
        /// Batches of one message, so that each closes at once.
        private func single(_ configuration: inout GatewayConfiguration, queue: Int) {
            configuration.models[0].batching?.maxBatchSize = 1
            configuration.models[0].batching?.queuePolicy.maxQueueSize = queue
            configuration.pools[0].endpoints[0].maxInFlight = 1
        }

        @Test func listsThatNeverFitAre400() throws {
            try ClassifierBench.run({ $0.models[0].batching?.queuePolicy.maxQueueSize = 2 }) {
                bench in
                bench.server.play { [ClassifierBench.verdicts(ClassifierBench.texts($0))] }
                let response = bench.classify(["a", "b", "c"])
                #expect(response.status == 400)
                let error = ClassifierBench.error(response)
                #expect(error["param"] as? String == "input")
                #expect(error["type"] as? String == "invalid_request_error")
                let message = error["message"] as? String ?? ""
                #expect(message.contains("3 texts") && message.contains("2"))
                #expect(response.fields["retry-after"] == nil)
                #expect(bench.upstreamCount == 0)
                #expect(ClassifierBench.labels(bench.classify(["a", "b"])) == ["a", "b"])
            }
        }

        @Test func messagesOfClosedBatchesWaitToo() throws {
            try ClassifierBench.run({ single(&$0, queue: 4) }) { bench in
                // The first one computes without end, three wait for the endpoint.
                let client = try bench.fixture.client()
                client.request(
                    "POST", "/v1/classify",
                    "{\"model\":\"test-model\",\"input\":[\"a\",\"b\",\"c\",\"d\"]}")
                let waiting = bench.fixture.gateway.classification.waiting[0]
                let isThere = Patience.wait(for: .seconds(5)) {
                    bench.upstreamCount == 1 && waiting.count == 3
                }
                #expect(isThere)
                let refused = bench.classify(["e", "f"])
                #expect(refused.status == 429)
                #expect(ClassifierBench.error(refused)["code"] as? String == "queue_full")
                #expect(refused.fields["retry-after"] != nil)
                // There is room for one.
                let other = try bench.fixture.client()
                other.request(
                    "POST", "/v1/classify", "{\"model\":\"test-model\",\"input\":\"e\"}")
                #expect(Patience.wait(for: .seconds(5)) { waiting.count == 4 })
                #expect(bench.classify(["f"]).status == 429)
            }
        }

        @Test func messagesThatTryAgainWaitAndNobodyIsCountedTwice() throws {
            try ClassifierBench.run({
                $0.models[0].batching?.queuePolicy.maxQueueSize = 8
                $0.limits.retryWindow = .seconds(3)
            }) { bench in
                let waiting = bench.fixture.gateway.classification.waiting[0]
                bench.server.play { _ in
                    ["HTTP/1.1 503 X\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"]
                }
                let pending = Background { bench.classify(["a", "b", "c"]).status }
                let areBack = Patience.wait(for: .seconds(5)) {
                    bench.upstreamCount > 0 && waiting.count == 3
                }
                #expect(areBack)
                #expect(pending.value() != nil)
                #expect(waiting.count == 0)
            }
        }

        @Test func thoseThatAreBackKeepNobodyOutWhoNeedsNoRoom() {
            let waiting = WaitingMessages(most: 4)
            #expect(waiting.enter(3))
            waiting.comeBack(3)
            #expect(waiting.enter(0))
            #expect(!waiting.enter(1))
            waiting.leave(2)
            #expect(waiting.enter(0))
            #expect(!waiting.enter(1))
            waiting.leave(1)
            #expect(!waiting.enter(Int.max))
            #expect(waiting.count == 3)
            #expect(waiting.enter(1))
        }

        @Test func whoIsTurnedAwayTakesNobodysRoom() {
            let waiting = WaitingMessages(most: 10)
            let results = Concurrently.map(8) { client in
                // Every second one never fits; each of the others always does.
                (0..<20_000).count { _ in
                    let isIn = waiting.enter(client % 2 == 0 ? 11 : 2)
                    if isIn { waiting.leave(client % 2 == 0 ? 11 : 2) }
                    return isIn
                }
            }
            #expect(results == (0..<8).map { $0 % 2 == 0 ? 0 : 20_000 })
            #expect(waiting.count == 0)
        }

        @Test func whoLeavesMakesRoom() throws {
            try ClassifierBench.run({ single(&$0, queue: 3) }) { bench in
                let waiting = bench.fixture.gateway.classification.waiting[0]
                do {
                    let client = try bench.fixture.client()
                    client.request(
                        "POST", "/v1/classify",
                        "{\"model\":\"test-model\",\"input\":[\"a\",\"b\",\"c\"]}")
                    #expect(Patience.wait(for: .seconds(5)) { waiting.count == 2 })
                }
                #expect(Patience.wait(for: .seconds(5)) { waiting.count == 0 })
            }
        }

        @Test func allowListsNeedLabels() throws {
            let page = "/classification/test-model/allow"
            let texts = "{\"texts\":[\"a\"]}"
            try ClassifierBench.run { bench in
                let response = RawClient.post(bench.fixture.adminPort, page, texts)
                #expect(response.status == 409)
                #expect(response.text.contains("positive_label"))
            }
            try ClassifierBench.run({
                $0.models[0].classification.labels = ["ham", "spam"]
                $0.models[0].classification.positiveLabel = 1
            }) { bench in
                #expect(RawClient.post(bench.fixture.adminPort, page, texts).status == 200)
            }
        }
    }
}
