import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// What the data port serves beside chat.
    @Suite struct SurfaceTests {
        @Test(arguments: [
            ("/v1/embeddings", "\"input\":[\"a\",\"b\"]", "embedding"),
            ("/classify", "\"input\":\"free prize\"", "\"label\":\"spam\""),
            ("/v1/rerank", "\"query\":\"a\",\"documents\":[\"a\",\"b\"]", "relevance_score"),
            ("/score", "\"text_1\":\"a\",\"text_2\":[\"a\"]", "\"score\""),
            ("/tokenize", "\"prompt\":\"hello\"", "\"count\""),
        ])
        func everyTaskGoesThrough(path: String, fields: String, mark: String) throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let answer = fixture.post(
                "{\"model\":\"\(GatewayFixture.model)\",\(fields)}", to: path)
            #expect(answer.status == 200)
            #expect(answer.text.contains(mark), "\(answer.text)")
        }

        @Test func pagesAndWrongTurns() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let port = fixture.port
            #expect(RawClient.get(port, "/version").text.contains(Gateway.version))
            #expect(RawClient.get(port, "/v1/models").text.contains(GatewayFixture.model))
            #expect(RawClient.get(port, "/v1/models/alias").status == 200)
            #expect(RawClient.get(port, "/v1/models/absent").status == 404)
            #expect(RawClient.get(port, "/v1/chat/completions").status == 405)
            #expect(fixture.post("{}", to: "/v1/models").status == 405)
            for path in ["/", "/v1", "/v1/chat/completions/", "//v1/models", "/v1/../metrics"] {
                #expect(RawClient.get(port, path).status == 404, "\(path)")
            }
        }

        @Test func theUsageChunkComesToWhoAsksForIt() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let silent = StreamReading(fixture.post(Prompts.chat(streams: true)).body)
            #expect(silent.usages == 0)
            let extra = ",\"stream_options\":{\"include_usage\":true}"
            let asked = StreamReading(
                fixture.post(Prompts.chat(streams: true, extra: extra)).body)
            #expect(asked.usages == 1)
            #expect(MetricsPage(fixture).sum(
                "joulegate_tokens_total", ["token_type": "output"]) == 16)
        }

        @Test func pipelinedRequestsAreAnsweredInTheirOrder() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let client = try fixture.client()
            for index in 0..<5 {
                client.request(
                    "POST", "/v1/chat/completions",
                    Prompts.chat("n \(index)", tokens: 20 - 3 * index))
            }
            for index in 0..<5 {
                let verdict = Verdict(
                    client.response(), streams: false,
                    reference: Prompts.chatReference("n \(index)", tokens: 20 - 3 * index))
                #expect(verdict == .complete)
            }
        }

        @Test func nothingKeepsAStoppedGatewayAlive() throws {
            weak var gateway: Gateway?
            do {
                let fixture = try GatewayFixture()
                gateway = fixture.gateway
                #expect(fixture.post(Prompts.chat()).status == 200)
                _ = RawClient.get(fixture.adminPort, "/metrics")
                fixture.stop()
            }
            #expect(gateway == nil)
        }
    }
}
