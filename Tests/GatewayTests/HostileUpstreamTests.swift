import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// Model servers that say things no server should say, byte for byte.
    @Suite struct HostileUpstreamTests {
        private static let text = "안녕 «world» 🔋"

        private static func event(_ content: String) -> String {
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\(content)\"}}]}\n\n"
        }

        private static let finish =
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
        private static let done = "data: [DONE]\n\n"
        private static let whole = event("안녕 ") + event("«world»") + event(" 🔋") + finish + done
        private static let streamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        private static let answer =
            "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"\(text)\"}}]}"

        private static func chunk(_ text: String) -> String {
            String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n"
        }

        private func with(
            _ change: (inout GatewayConfiguration) -> Void = { _ in },
            _ body: (GatewayFixture, ScriptedServer) throws -> Void
        ) throws {
            let server = try ScriptedServer(ScriptedServer.Script(pieces: []))
            defer { server.stop() }
            let fixture = try GatewayFixture { configuration in
                configuration.limits.upstreamFirstByteTimeout = .milliseconds(400)
                configuration.limits.upstreamBetweenBytesTimeout = .milliseconds(300)
                configuration.pools[0].endpoints[0].url.port = Int(server.port)
                change(&configuration)
            }
            defer { fixture.stop() }
            try body(fixture, server)
        }

        private func judge(_ fixture: GatewayFixture, streams: Bool) -> Verdict {
            Verdict(
                fixture.post(Prompts.chat(streams: streams)), streams: streams,
                reference: Self.text)
        }

        private func expectSound(_ fixture: GatewayFixture, _ server: ScriptedServer) {
            server.play([Self.streamHead + "connection: close\r\n\r\n" + Self.whole])
            #expect(judge(fixture, streams: true) == .complete)
        }

        @Test func brokenStreamsAreSeen() throws {
            let head = Self.streamHead + "connection: close\r\n\r\n"
            let chunked = Self.streamHead + "transfer-encoding: chunked\r\n\r\n"
            let first = Self.event("안녕 ")
            let cases: [(String, [String], ScriptedServer.Ending)] = [
                ("close-delimited, cut after an event", [head, first], .close),
                ("close-delimited, cut inside an event", [head, first, "data: {\"cho"], .close),
                ("close-delimited, without [DONE]", [head, first, Self.finish], .close),
                ("reset after an event", [head, first], .reset),
                ("no chunk size", [chunked, Self.chunk(first), "zz\r\n"], .keep),
                ("a huge chunk size", [chunked, Self.chunk(first), "fffffffffffffffff\r\n"], .keep),
                ("no line end after a chunk", [chunked, Self.chunk(first) + "5\r\nhelloworld"],
                    .keep),
                ("too short for its length",
                    [Self.streamHead + "content-length: 500\r\n\r\n", first], .close),
                ("an error without a frame",
                    [head, first, "{\"error\":{\"message\":\"out of memory\"}}"], .close),
                ("silence", [head, first], .keep),
            ]
            try with { fixture, server in
                for (name, pieces, ending) in cases {
                    server.play(pieces, ending)
                    #expect(judge(fixture, streams: true) == .visibleError, "\(name)")
                    expectSound(fixture, server)
                }
            }
        }

        @Test func anEventWithoutEndIsGivenUp() throws {
            try with({ $0.limits.eventBytes = 4_096 }) { fixture, server in
                let endless = "data: " + String(repeating: "x", count: 20_000)
                server.play([Self.streamHead + "\r\n" + Self.event("안녕 "), endless], .keep)
                #expect(judge(fixture, streams: true) == .visibleError)
                expectSound(fixture, server)
            }
        }

        @Test func brokenUnaryAnswersAreSeen() throws {
            let json = "content-type: application/json\r\n"
            let half = String(Self.answer.prefix(30))
            let cases: [(String, [String], ScriptedServer.Ending)] = [
                ("half a close-delimited answer",
                    ["HTTP/1.1 200 OK\r\n\(json)\r\n" + half], .close),
                ("an empty one", ["HTTP/1.1 200 OK\r\n\(json)\r\n"], .close),
                ("too short for its length",
                    ["HTTP/1.1 200 OK\r\n\(json)content-length: 500\r\n\r\n" + half], .close),
                ("no answer at all", [], .close),
                ("reset", [], .reset),
                ("no HTTP", ["SSH-2.0-OpenSSH_9.6\r\n\r\n"], .close),
                ("half a head", ["HTTP/1.1 200 OK\r\ncontent-le"], .close),
                ("a head without end",
                    ["HTTP/1.1 200 OK\r\nx: " + String(repeating: "y", count: 200_000)], .keep),
                ("two lengths",
                    ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"], .keep),
            ]
            try with { fixture, server in
                for (name, pieces, ending) in cases {
                    server.play(pieces, ending)
                    #expect(judge(fixture, streams: false) == .visibleError, "\(name)")
                    expectSound(fixture, server)
                }
            }
        }

        /// Its end may be the very part that says what was wrong.
        @Test func aLongErrorAnswerIsNeverShortened() throws {
            let message = String(repeating: "x", count: 150_000)
            let body = "{\"error\":{\"message\":\"\(message)\"}}"
            let fields = "content-type: application/json\r\ncontent-length: \(body.utf8.count)"
            try with { fixture, server in
                for status in [400, 500] {
                    server.play(["HTTP/1.1 \(status) No\r\n\(fields)\r\n\r\n" + body], .keep)
                    #expect(judge(fixture, streams: false) == .visibleError, "\(status)")
                }
                server.play(["HTTP/1.1 400 No\r\n\(fields)\r\n\r\n" + body], .keep)
                let response = fixture.post(Prompts.chat(streams: false))
                #expect(response.status == 400)
                #expect(response.body == Array(body.utf8))
                server.play(["HTTP/1.1 400 No\r\n\(fields)\r\n\r\n" + body.dropLast(9)])
                #expect(!fixture.post(Prompts.chat(streams: false)).isWhole)
            }
        }

        /// The event that ends the answer is there but for half of its last line end.
        @Test func aCutBehindTheLastEventLosesNothing() throws {
            try with { fixture, server in
                let events = (Self.event("안녕") + Self.finish + Self.done)
                    .replacing("\n", with: "\r\n").utf8.dropLast()
                server.play([
                    Self.streamHead + "transfer-encoding: chunked\r\n\r\n"
                        + Self.chunk(String(decoding: events, as: UTF8.self))
                ])
                let response = fixture.post(Prompts.chat(streams: true))
                #expect(response.isWhole)
                #expect(response.text.contains("data: [DONE]"))
                #expect(!response.text.contains("error"))
            }
        }

        @Test func unusualButSoundAnswersGoThrough() throws {
            let length = Self.answer.utf8.count
            let json = "content-type: application/json\r\n"
            let cases: [([String], ScriptedServer.Ending)] = [
                (["HTTP/1.1 200 OK\r\n\(json)\r\n" + Self.answer], .close),
                (["HTTP/1.0 200 OK\r\n\(json)content-length: \(length)\r\n\r\n" + Self.answer],
                    .close),
                (["HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n",
                    "HTTP/1.1 200 OK\r\n\(json)content-length: \(length)\r\n\r\n" + Self.answer],
                    .keep),
                (["HTTP/1.1 200\r\n\(json)content-length: \(length)\r\n\r\n" + Self.answer], .keep),
            ]
            try with { fixture, server in
                for (pieces, ending) in cases {
                    server.play(pieces, ending)
                    #expect(judge(fixture, streams: false) == .complete, "\(pieces)")
                }
            }
        }

        /// Hangul, quotes and emoji, cut at every byte.
        @Test func aStreamSplitAnywhereIsTheSame() throws {
            let bytes = Array(Self.whole.utf8)
            try with { fixture, server in
                for split in stride(from: 1, to: bytes.count, by: 3) {
                    server.play(bytes: [
                        Array((Self.streamHead + "\r\n").utf8), Array(bytes[..<split]),
                        Array(bytes[split...]),
                    ])
                    #expect(judge(fixture, streams: true) == .complete, "split at \(split)")
                }
            }
        }

        @Test func nothingOfAHeadPassesThroughUnasked() throws {
            try with { fixture, server in
                let secrets = "set-cookie: a=b\r\nserver: engine\r\nx-internal: 1\r\n"
                server.play([
                    "HTTP/1.1 200 OK\r\n\(secrets)content-type: application/json\r\n"
                        + "content-length: \(Self.answer.utf8.count)\r\n\r\n" + Self.answer
                ])
                let client = try fixture.client()
                let fields = [
                    "cookie": "c=canary", "x-forwarded-for": "canary", "x-tenant": "canary",
                    "x-request-id": "canary-id", "authorization": "Bearer canary",
                    "x-custom": "canary", "te": "trailers", "accept-encoding": "gzip",
                ]
                client.request("POST", "/v1/chat/completions", Prompts.chat(), fields: fields)
                let response = client.response()
                #expect(response.status == 200)
                #expect(
                    Set(response.fields.keys).isSubset(of: [
                        "content-type", "content-length", "x-request-id",
                    ]), "\(response.fields)")
                // The client's own name for its request comes back to it, and goes nowhere else.
                #expect(response.fields["x-request-id"] == "canary-id")
                let request = try #require(server.requests.first)
                #expect(!request.lowercased().contains("canary"))
                #expect(!request.contains("gzip"))
                #expect(request.contains("x-request-id: jg-"))
                #expect(request.contains("\"model\":\"upstream-model\""))
            }
        }
    }
}
