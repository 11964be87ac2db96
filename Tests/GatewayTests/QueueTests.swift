import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    @Suite struct QueueTests {
        private func fixture(
            _ change: (inout GatewayConfiguration) -> Void = { _ in }
        ) throws -> GatewayFixture {
            try GatewayFixture([.init(maxInFlight: 1)], change)
        }

        /// A request that holds the one place, until it is let go.
        private func occupy(_ fixture: GatewayFixture) throws -> RawClient {
            let client = try fixture.client()
            client.request("POST", "/v1/chat/completions", Prompts.chat(tokens: 100_000))
            #expect(Patience.wait(for: .seconds(5)) { fixture.state().running == 1 })
            return client
        }

        @Test func thoseWithoutRoomWaitAndSucceed() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            let most = Background {
                var most = 0
                _ = Patience.wait(for: .seconds(10)) {
                    let state = fixture.state()
                    most = max(most, state.running + state.waiting)
                    return state.finished == 12
                }
                return most
            }
            let verdicts = Concurrently.map(12) { index in
                Verdict(
                    fixture.post(Prompts.chat("n \(index)", tokens: 20, streams: index % 2 == 0)),
                    streams: index % 2 == 0,
                    reference: Prompts.chatReference("n \(index)", tokens: 20))
            }
            #expect(verdicts == Array(repeating: .complete, count: 12))
            #expect(most.value() == 1)
        }

        @Test func aFullQueueSaysWhenToComeBack() throws {
            let fixture = try fixture { $0.limits.queuedRequests = 1 }
            defer { fixture.stop() }
            let running = try occupy(fixture)
            let waiting = Background { fixture.post(Prompts.chat()) }
            #expect(Patience.wait(for: .seconds(5)) { fixture.gateway.status().queued == 1 })
            let refused = fixture.post(Prompts.chat(streams: true))
            #expect(refused.status == 429)
            #expect(refused.text.contains("\"code\":\"queue_full\""))
            let seconds = refused.fields["retry-after"].flatMap { Int($0) } ?? 0
            #expect((1...120).contains(seconds))
            running.close()
            #expect(waiting.value()?.status == 200)
            let page = MetricsPage(fixture)
            #expect(page.sum("joulegate_rejections_total") == 1)
            #expect(page.sum("joulegate_requests_total", ["status": "429"]) == 1)
        }

        @Test func waitingHasAnEnd() throws {
            let fixture = try fixture { $0.limits.queueTimeout = .milliseconds(200) }
            defer { fixture.stop() }
            let running = try occupy(fixture)
            var refused = RawResponse()
            let waited = Patience.measure { refused = fixture.post(Prompts.chat()) }
            #expect(refused.status == 408)
            #expect(refused.text.contains("\"code\":\"queue_timeout\""))
            #expect(waited >= .milliseconds(200))
            #expect(waited < .milliseconds(800))
            running.close()
            #expect(fixture.post(Prompts.chat()).status == 200)
        }

        @Test func anUnknownModelIsNotQueued() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            let running = try occupy(fixture)
            let refused = fixture.post(Prompts.chat(model: "no-such-model"))
            #expect(refused.status == 404)
            #expect(refused.text.contains("\"code\":\"model_not_found\""))
            running.close()
        }

        @Test func withoutAnyEndpointTheAnswerIs503() throws {
            let fixture = try fixture { $0.probes.interval = .milliseconds(20) }
            defer { fixture.stop() }
            fixture.servers[0].stop()
            let isOut = Patience.wait(for: .seconds(5)) {
                fixture.gateway.status().pools[0].usable == 0
            }
            #expect(isOut)
            let refused = fixture.post(Prompts.chat())
            #expect(refused.status == 503)
            #expect(refused.fields["x-should-retry"] == "true")
            let seconds = refused.fields["retry-after"].flatMap { Int($0) } ?? 0
            #expect((1...120).contains(seconds))
            let isUnready = Patience.wait(for: .seconds(2)) {
                RawClient.get(fixture.port, "/readiness").status == 503
            }
            #expect(isUnready)
            #expect(RawClient.get(fixture.port, "/liveness").status == 200)
        }
    }
}
