import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// Clients that read slowly or not at all.
    @Suite struct BackPressureTests {
        /// Seven megabytes of events, more than the kernel's buffers take, within a second.
        private static let tokens = 2_000
        private static let body = Prompts.completion(
            tokens: tokens, streams: true, extra: ",\"n\":16")

        private func bufferedBytes(_ fixture: GatewayFixture) -> Double {
            MetricsPage(fixture).sum("joulegate_buffered_bytes")
        }

        @Test func aSlowReaderPausesItsUpstreamAndLosesNothing() throws {
            let profile = FastProfiles.profile(iteration: .microseconds(200))
            let fixture = try GatewayFixture([.init(profile: profile)])
            defer { fixture.stop() }
            let client = try RawClient(port: fixture.port, receiveBuffer: 4_096)
            client.request("POST", "/v1/completions", Self.body)
            var most = 0.0
            let isHeld = Patience.wait(for: .seconds(10)) {
                let buffered = bufferedBytes(fixture)
                most = max(most, buffered)
                return buffered > 8_192
            }
            #expect(isHeld)
            for _ in 0..<20 {
                Patience.pause(.milliseconds(25))
                most = max(most, bufferedBytes(fixture))
            }
            // The stream's limit, and the one read that crossed it.
            #expect(most <= 64 * 1024, "\(most) bytes held")
            let response = client.longResponse()
            let reading = StreamReading(response.body, choice: 7)
            #expect(reading.done == 1)
            #expect(reading.errors == 0)
            #expect(reading.tokens == Self.tokens)
            let first = StreamReading(response.body).text
            #expect(first == Prompts.completionReference(tokens: Self.tokens))
        }

        /// A model server has said everything and waits for its bytes to leave: that is no idle
        /// connection, however long its client takes.
        @Test func anAnswerOnItsWayIsNotCutAsIdle() throws {
            let profile = FastProfiles.profile(iteration: .microseconds(200))
            let fixture = try GatewayFixture([
                .init(kind: .llamaServer, profile: profile, keepAlive: .milliseconds(300))
            ]) {
                // It is in every event: together more than all kernel buffers on the way hold.
                $0.pools[0].models[0].upstream = String(repeating: "m", count: 600)
            }
            defer { fixture.stop() }
            let client = try RawClient(port: fixture.port, receiveBuffer: 4_096)
            client.request("POST", "/v1/completions", Self.body)
            #expect(Patience.wait(for: .seconds(20)) { fixture.state().finished == 16 })
            Patience.pause(.milliseconds(1_500))
            let response = client.longResponse()
            #expect(response.isWhole)
            #expect(response.text.hasSuffix("data: [DONE]\n\n"))
        }

        @Test func aClientThatNeverReadsIsGivenUp() throws {
            let fixture = try GatewayFixture { $0.limits.stallTimeout = .milliseconds(500) }
            defer { fixture.stop() }
            let client = try RawClient(port: fixture.port, receiveBuffer: 4_096)
            client.request(
                "POST", "/v1/completions",
                Prompts.completion(tokens: 20_000, streams: true, extra: ",\"n\":16"))
            let isGivenUp = Patience.wait(for: .seconds(15)) { fixture.state().cancelled == 16 }
            #expect(isGivenUp)
            #expect(Patience.wait(for: .seconds(2)) { self.bufferedBytes(fixture) == 0 })
            // The others live on.
            #expect(fixture.post(Prompts.chat()).status == 200)
        }
    }
}
