import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    @Suite struct DrainTests {
        private func fixture(
            drain: TimeSpan, _ upstream: GatewayFixture.Upstream = .init()
        ) throws -> GatewayFixture {
            try GatewayFixture([upstream]) { $0.limits.drainTimeout = drain }
        }

        @Test func aRunningStreamIsFinished() throws {
            let fixture = try fixture(drain: .seconds(10))
            let client = try fixture.client()
            client.request("POST", "/v1/chat/completions", Prompts.chat(tokens: 400, streams: true))
            _ = client.response(until: "\"content\":\"«")
            let stopped = Background { fixture.stop() }
            let verdict = Verdict(
                client.response(), streams: true,
                reference: Prompts.chatReference(tokens: 400))
            #expect(verdict == .complete)
            #expect(client.rest().isEmpty)
            #expect(stopped.value() != nil)
            #expect(throws: RawWire.NoConnection.self) { try fixture.client() }
            #expect(throws: RawWire.NoConnection.self) {
                try RawClient(port: fixture.adminPort)
            }
        }

        /// However soon after a request the end comes.
        @Test(arguments: [false, true]) func aRequestThatJustCameIsFinished(streams: Bool) throws {
            for _ in 0..<5 {
                let fixture = try fixture(drain: .seconds(10))
                let client = try fixture.client()
                client.request(
                    "POST", "/v1/chat/completions", Prompts.chat(tokens: 150, streams: streams))
                _ = Patience.wait(for: .seconds(5)) { fixture.gateway.status().inFlight == 1 }
                let stopped = Background { fixture.stop() }
                let verdict = Verdict(
                    client.response(), streams: streams,
                    reference: Prompts.chatReference(tokens: 150))
                #expect(verdict == .complete)
                #expect(stopped.value() != nil)
            }
        }

        @Test func aStreamBeyondTheLimitEndsVisibly() throws {
            let fixture = try fixture(drain: .milliseconds(100))
            let client = try fixture.client()
            client.request(
                "POST", "/v1/chat/completions", Prompts.chat(tokens: 20_000, streams: true))
            _ = client.response(until: "\"content\":\"«")
            let stopped = Background { fixture.stop() }
            let response = client.longResponse()
            #expect(response.isWhole)
            let reading = StreamReading(response.body)
            #expect(reading.errors == 1)
            #expect(reading.done == 0)
            #expect(!reading.text.isEmpty)
            #expect(stopped.value() != nil)
        }

        @Test func whoeverHasNoByteYetGets503() throws {
            let fixture = try fixture(drain: .milliseconds(100), .init(maxInFlight: 1))
            let running = try fixture.client()
            running.request("POST", "/v1/chat/completions", Prompts.chat(tokens: 20_000))
            #expect(Patience.wait(for: .seconds(5)) { fixture.gateway.status().inFlight == 1 })
            let waiting = try fixture.client()
            waiting.request("POST", "/v1/chat/completions", Prompts.chat())
            #expect(Patience.wait(for: .seconds(5)) { fixture.gateway.status().queued == 1 })
            let stopped = Background { fixture.stop() }
            for client in [waiting, running] {
                let response = client.response()
                #expect(response.status == 503)
                #expect(response.text.contains("\"code\":\"draining\""))
                #expect(response.fields["retry-after"] != nil)
            }
            #expect(stopped.value() != nil)
        }

        @Test func anIdleGatewayStopsAtOnce() throws {
            let fixture = try fixture(drain: .seconds(10))
            let idle = try fixture.client()
            idle.request("GET", "/health")
            #expect(idle.response().status == 200)
            #expect(Patience.measure { fixture.stop() } < .seconds(2))
            #expect(idle.rest().isEmpty)
        }

        /// A slow reader's last bytes are not thrown away.
        @Test func bytesThatAreStillOnTheirWayArrive() throws {
            let profile = FastProfiles.profile(iteration: .microseconds(100))
            let fixture = try fixture(drain: .seconds(10), .init(profile: profile))
            let client = try RawClient(port: fixture.port, receiveBuffer: 4_096)
            client.request(
                "POST", "/v1/completions",
                Prompts.completion(tokens: 12_000, extra: ",\"n\":64"))
            #expect(Patience.wait(for: .seconds(10)) { fixture.state().finished == 64 })
            let stopped = Background { fixture.stop() }
            Patience.pause(.milliseconds(400))
            #expect(!stopped.isDone)
            let verdict = Verdict(
                client.response(), streams: false,
                reference: Prompts.completionReference(tokens: 12_000))
            #expect(verdict == .complete)
            #expect(stopped.value() != nil)
        }
    }
}
