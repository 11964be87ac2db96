import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// A client that left must not keep a model server busy.
    @Suite struct CancelTests {
        enum Departure: CaseIterable { case fin, rst }

        /// How long it took until the model server knew, the median of five tries.
        private func delay(
            _ fixture: GatewayFixture, streams: Bool, _ departure: Departure
        ) throws -> TimeSpan {
            var delays: [TimeSpan] = []
            for _ in 0..<5 {
                let before = fixture.state().cancelled
                let client = try fixture.client()
                client.request(
                    "POST", "/v1/chat/completions",
                    Prompts.chat(tokens: 100_000, streams: streams))
                if streams { _ = client.response(until: "\"content\":\"«") }
                #expect(Patience.wait(for: .seconds(5)) { fixture.state().running == 1 })
                delays.append(
                    Patience.measure {
                        if departure == .fin { client.close() } else { client.reset() }
                        let isSeen = Patience.wait(for: .seconds(5)) {
                            fixture.state().cancelled == before + 1
                        }
                        #expect(isSeen)
                    })
                #expect(fixture.state().running == 0)
            }
            return delays.sorted()[2]
        }

        @Test(arguments: Departure.allCases, [false, true])
        func theModelServerKnowsWithin50Milliseconds(departure: Departure, streams: Bool) throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let delay = try delay(fixture, streams: streams, departure)
            #expect(delay <= .milliseconds(50), "\(delay.milliseconds) ms")
            #expect(fixture.gateway.status().inFlight == 0)
        }

        @Test func aWaitingRequestIsForgottenWithItsClient() throws {
            let fixture = try GatewayFixture([.init(maxInFlight: 1)])
            defer { fixture.stop() }
            let running = try fixture.client()
            running.request("POST", "/v1/chat/completions", Prompts.chat(tokens: 100_000))
            #expect(Patience.wait(for: .seconds(5)) { fixture.state().running == 1 })
            let waiting = try fixture.client()
            waiting.request("POST", "/v1/chat/completions", Prompts.chat())
            #expect(Patience.wait(for: .seconds(5)) { fixture.gateway.status().queued == 1 })
            waiting.close()
            #expect(Patience.wait(for: .seconds(1)) { fixture.gateway.status().queued == 0 })
            running.close()
            #expect(Patience.wait(for: .seconds(1)) { fixture.gateway.status().inFlight == 0 })
            #expect(fixture.post(Prompts.chat()).status == 200)
        }

        /// What was delivered before the client left is counted all the same.
        @Test func tokensOfAnAbandonedStreamAreCounted() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let client = try fixture.client()
            client.request(
                "POST", "/v1/completions", Prompts.completion(tokens: 100_000, streams: true))
            _ = client.response(until: "\"text\":\"«")
            Patience.pause(.milliseconds(50))
            client.close()
            let isCounted = Patience.wait(for: .seconds(1)) {
                fixture.gateway.status().pools[0].outputTokens > 0
            }
            #expect(isCounted)
        }
    }
}
