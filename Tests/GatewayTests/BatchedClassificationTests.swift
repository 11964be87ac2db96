import Configuration
import Foundation
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// Batches at model servers that say what no server should say.
    @Suite struct BatchedClassificationTests {
        private static func entry(_ index: Int, _ label: String) -> String {
            "{\"index\":\(index),\"label\":\"\(label)\",\"probs\":[0.5,0.5],\"num_classes\":2}"
        }

        private static func answer(_ entries: [String], tokens: String = "7") -> String {
            let body = "{\"data\":[\(entries.joined(separator: ","))],"
                + "\"usage\":{\"prompt_tokens\":\(tokens)}}"
            return http(200, body)
        }

        private static func http(_ status: Int, _ body: String) -> String {
            "HTTP/1.1 \(status) X\r\ncontent-type: application/json\r\n"
                + "content-length: \(body.utf8.count)\r\n\r\n\(body)"
        }

        private func with(
            _ change: (inout GatewayConfiguration) -> Void = { _ in },
            _ body: (GatewayFixture, ScriptedServer) throws -> Void
        ) throws {
            let server = try ScriptedServer(ScriptedServer.Script(pieces: []))
            defer { server.stop() }
            let fixture = try GatewayFixture { configuration in
                configuration.threads = 1
                configuration.limits.upstreamFirstByteTimeout = .milliseconds(400)
                configuration.limits.upstreamBetweenBytesTimeout = .milliseconds(300)
                configuration.pools[0].endpoints[0].url.port = Int(server.port)
                configuration.models[0].task = .classify
                configuration.models[0].batching = GatewayConfiguration.DynamicBatching()
                change(&configuration)
            }
            defer { fixture.stop() }
            try body(fixture, server)
        }

        private func labels(_ response: RawResponse) -> [String?] {
            let data = JSONText.object(response.body)["data"] as? [[String: Any]] ?? []
            return data.map { $0["label"] as? String }
        }

        private let two = "{\"model\":\"test-model\",\"input\":[\"a\",\"b\"]}"

        @Test func verdictsGoToTheirMessages() throws {
            try with { fixture, server in
                server.play([Self.answer([Self.entry(1, "y"), Self.entry(0, "x")])], .keep)
                let response = fixture.post(two, to: "/v1/classify")
                #expect(labels(response) == ["x", "y"])
                #expect(server.requests.last?.contains("\"input\":[\"a\",\"b\"]") == true)
                #expect(server.requests.last?.contains("\"model\":\"upstream-model\"") == true)
            }
        }

        @Test func answersThatAreNoneLeaveMessagesUndecided() throws {
            let cases: [(String, [String], ScriptedServer.Ending)] = [
                ("too few", [Self.answer([Self.entry(0, "x")])], .close),
                ("too many", [Self.answer((0..<3).map { Self.entry($0, "x") })], .close),
                ("twice the same", [Self.answer([Self.entry(0, "x"), Self.entry(0, "x")])], .close),
                ("no JSON", [Self.http(200, "{\"data\":[")], .close),
                ("another JSON", [Self.http(200, "[7]")], .close),
                ("cut", [String(Self.answer([Self.entry(0, "x")]).dropLast(9))], .close),
                ("silence", [], .keep),
                ("a server's error", [Self.http(500, "{}")], .close),
                ("nothing", [], .close),
            ]
            for (name, pieces, ending) in cases {
                // A gateway of its own: each of these would rest the endpoint for the next.
                try with { fixture, server in
                    server.play(pieces, ending)
                    let response = fixture.post(two, to: "/v1/classify")
                    #expect(response.status == 200, "\(name)")
                    #expect(labels(response) == ["undecided", "undecided"], "\(name)")
                }
            }
        }

        @Test func tokensThatNobodyCanCountTrapNobody() throws {
            try with(
                { $0.models[0].batching?.maxBatchSize = 1 },
                { fixture, server in
                    let most = "\(Int.max)"
                    server.play([Self.answer([Self.entry(0, "x")], tokens: most)], .keep)
                    let response = fixture.post(two, to: "/v1/classify")
                    #expect(labels(response) == ["x", "x"])
                    let usage = JSONText.object(response.body)["usage"] as? [String: Any]
                    #expect(usage?["prompt_tokens"] as? Int == 2 << 40)
                })
        }

        @Test func refusedBatchesAreCutDownToOneMessage() throws {
            try with { fixture, server in
                server.play([Self.http(400, "{\"error\":{\"message\":\"too long\"}}")], .keep)
                let texts = (0..<8).map { "\"\($0)\"" }.joined(separator: ",")
                let response = fixture.post(
                    "{\"model\":\"test-model\",\"input\":[\(texts)]}", to: "/v1/classify")
                // Each message was alone in the end: nobody has a verdict.
                #expect(response.status == 400)
                let error = JSONText.object(response.body)["error"] as? [String: Any]
                #expect(error?["message"] as? String == "too long")
                #expect(server.requests.count == 15)
            }
        }

        @Test func wrongKeysAtTheModelServerAreNoMessagesFault() throws {
            try with { fixture, server in
                server.play([Self.http(404, "{}")], .keep)
                let response = fixture.post(two, to: "/v1/classify")
                // As configured for messages without a verdict; nothing of the server's own words.
                #expect(response.status == 200)
                #expect(response.text.contains("\"undecided\""))
                #expect(server.requests.count == 1)
            }
        }
    }
}
