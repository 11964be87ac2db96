import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// The same promises over HTTP/2, where streams share a connection.
    @Suite struct HTTP2Tests {
        private func verdict(
            _ reply: FrameClient.Reply, streams: Bool, tokens: Int = 8, _ text: String = "hello"
        ) -> Verdict {
            Verdict(
                reply.response, streams: streams,
                reference: Prompts.chatReference(text, tokens: tokens))
        }

        @Test func manyStreamsShareAConnection() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let client = try FrameClient(port: fixture.port)
            let streams = (0..<20).map { index in
                client.request(
                    Prompts.chat("n \(index)", tokens: 30, streams: index % 2 == 0))
            }
            for (index, stream) in streams.enumerated() {
                let reply = client.reply(stream)
                let verdict = verdict(reply, streams: index % 2 == 0, tokens: 30, "n \(index)")
                #expect(verdict == .complete)
            }
        }

        @Test func refusalsHaveTheirStatus() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let client = try FrameClient(port: fixture.port)
            #expect(client.reply(client.request("not json")).status == 400)
            #expect(client.reply(client.request(Prompts.chat(model: "x"))).status == 404)
            #expect(client.reply(client.request("{}", to: "/nothing")).status == 404)
            #expect(client.reply(client.request("{}", to: "/v1/models")).status == 405)
            let full = client.request(Prompts.chat(extra: Prompts.fault("status-503")))
            #expect(client.reply(full).status == 503)
            #expect(verdict(client.reply(client.request(Prompts.chat())), streams: false)
                == .complete)
        }

        @Test(arguments: [0, 1, 4]) func faultsAreSeen(position: Int) throws {
            let fixture = try GatewayFixture([.init()], FaultMatrixTests.impatient)
            defer { fixture.stop() }
            for name in FaultMatrixTests.positional {
                // A status that comes twice is an index of a table that this client lacks.
                let client = try FrameClient(port: fixture.port)
                let fault = Prompts.fault("\(name):\(position)")
                let stream = client.reply(
                    client.request(Prompts.chat(streams: true, extra: fault)))
                #expect(verdict(stream, streams: true) == .visibleError, "\(name)")
                // A visible end is an end: the client need not guess from a reset.
                #expect(stream.isEnded, "\(name)")
                let sound = client.reply(client.request(Prompts.chat(streams: true)))
                #expect(verdict(sound, streams: true) == .complete)
            }
        }

        @Test func aLongUnaryAnswerThatIsCutIsReset() throws {
            let fixture = try GatewayFixture { $0.limits.unaryBufferBytes = 64 }
            defer { fixture.stop() }
            let client = try FrameClient(port: fixture.port)
            let cut = client.reply(
                client.request(Prompts.chat(extra: Prompts.fault("unary-cut"))))
            #expect(!cut.isEnded)
            #expect(cut.reset != nil)
            let sound = client.reply(client.request(Prompts.chat()))
            #expect(verdict(sound, streams: false) == .complete)
        }

        @Test func aResetStreamIsCancelledAndItsNeighboursGoOn() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let client = try FrameClient(port: fixture.port)
            let neighbour = client.request(Prompts.chat(tokens: 300, streams: true))
            var delays: [TimeSpan] = []
            for round in 0..<5 {
                let stream = client.request(
                    Prompts.chat("x", tokens: 100_000, streams: round % 2 == 0))
                if round % 2 == 0 {
                    client.read { $0.replies[stream]?.text.contains("\"content\":\"«") == true }
                }
                #expect(Patience.wait(for: .seconds(5)) { fixture.state().running >= 1 })
                Patience.pause(.milliseconds(20))
                delays.append(
                    Patience.measure {
                        client.reset(stream)
                        let isSeen = Patience.wait(for: .seconds(5)) {
                            fixture.state().cancelled == round + 1
                        }
                        #expect(isSeen)
                    })
            }
            let median = delays.sorted()[2]
            #expect(median <= .milliseconds(50), "\(median.milliseconds) ms")
            #expect(verdict(client.reply(neighbour), streams: true, tokens: 300) == .complete)
        }

        @Test func aLostConnectionCancelsAllItsStreams() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let client = try FrameClient(port: fixture.port)
            for index in 0..<5 {
                client.request(Prompts.chat("n \(index)", tokens: 100_000, streams: true))
            }
            #expect(Patience.wait(for: .seconds(5)) { fixture.state().running == 5 })
            client.close()
            #expect(Patience.wait(for: .seconds(1)) { fixture.state().cancelled == 5 })
            #expect(Patience.wait(for: .seconds(1)) { fixture.gateway.status().inFlight == 0 })
        }

        /// A closed window holds its own stream's model server back, and no other stream.
        @Test func aClosedWindowPausesOneUpstreamOnly() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let slow = try FrameClient(port: fixture.port)
            slow.opensWindows = false
            let body = Prompts.completion(tokens: 700, streams: true, extra: ",\"n\":16")
            let stream = slow.request(body, to: "/v1/completions")
            // The windows that HTTP/2 begins with.
            slow.read { $0.replies[stream]?.body.count == 65_535 }
            #expect(slow.replies[stream]?.body.count == 65_535)
            Patience.pause(.milliseconds(300))
            let held = MetricsPage(fixture).sum("joulegate_buffered_bytes")
            #expect(held > 0)
            #expect(held <= 64 * 1024, "\(held) bytes held")
            #expect(fixture.post(Prompts.chat()).status == 200)
            slow.opensWindows = true
            slow.openWindows(stream, by: 65_535)
            let reply = slow.reply(stream)
            let reading = StreamReading(reply.body)
            #expect(reading.done == 1)
            #expect(reading.errors == 0)
            #expect(reading.text == Prompts.completionReference(tokens: 700))
        }

        @Test func drainingSaysGoodbyeAndFinishes() throws {
            let fixture = try GatewayFixture { $0.limits.drainTimeout = .seconds(10) }
            let client = try FrameClient(port: fixture.port)
            let stream = client.request(Prompts.chat(tokens: 400, streams: true))
            client.read { $0.replies[stream]?.text.contains("\"content\":\"«") == true }
            let stopped = Background { fixture.stop() }
            #expect(client.read { $0.goAways > 0 })
            #expect(client.replies[stream]?.isOver == false)
            let late = client.request(Prompts.chat())
            let verdict = verdict(client.reply(stream), streams: true, tokens: 400)
            #expect(verdict == .complete)
            #expect(client.reply(late).status == 503)
            #expect(stopped.value() != nil)
        }
    }
}
