import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// Two model servers, one of them faulty: what fails before the client's first byte ends well
    /// on the other one.
    @Suite struct FailoverTests {
        private func fixture(_ faults: [String]) throws -> GatewayFixture {
            try GatewayFixture([.init(faults: faults), .init()]) { configuration in
                FaultMatrixTests.impatient(&configuration)
                // So that the faulty one has its turn.
                configuration.policy = .roundRobin
            }
        }

        private func completion(_ fixture: GatewayFixture, streams: Bool) -> Verdict {
            Verdict(
                fixture.post(Prompts.completion(streams: streams), to: "/v1/completions"),
                streams: streams, reference: Prompts.completionReference())
        }

        @Test(arguments: [
            "status-500", "status-503", "status-429", "close-before-headers", "slow-header:2000",
            "cut-chunked:0", "cut-close:0", "error-vllm:0", "error-llama:0", "garbage-chunk:0",
            "no-done:0", "partial-event:0", "stall:0",
        ])
        func aStreamThatFailsBeforeItsFirstEventIsAnsweredByTheOther(fault: String) throws {
            let fixture = try fixture([fault])
            defer { fixture.stop() }
            for _ in 0..<4 { #expect(completion(fixture, streams: true) == .complete) }
            #expect(fixture.state(1).finished == 4)
        }

        @Test(arguments: [
            "status-500", "status-503", "status-429", "close-before-headers", "slow-header:2000",
            "unary-cut", "cut-chunked:3", "cut-close:3", "error-vllm:3", "error-llama:3",
            "garbage-chunk:3", "partial-event:3", "stall:3",
        ])
        func aUnaryAnswerThatFailsIsGivenByTheOther(fault: String) throws {
            let fixture = try fixture([fault])
            defer { fixture.stop() }
            for _ in 0..<4 { #expect(completion(fixture, streams: false) == .complete) }
        }

        @Test func aDeadModelServerCostsNoRequest() throws {
            let fixture = try fixture([])
            defer { fixture.stop() }
            fixture.servers[0].stop()
            for round in 0..<20 {
                #expect(completion(fixture, streams: round % 2 == 0) == .complete)
            }
            let workers = fixture.admin("/workers")["workers"] as? [[String: Any]] ?? []
            #expect(workers.map { $0["state"] as? String } == ["ejected", "active"])
        }

        /// A killed model server takes its streams with it; those see an error, nobody else does.
        @Test func aKilledModelServerEndsItsStreamsVisibly() throws {
            let fixture = try GatewayFixture([
                .init(profile: FastProfiles.profile(iteration: .milliseconds(5)))
            ])
            defer { fixture.stop() }
            let client = try fixture.client()
            client.request("POST", "/v1/chat/completions", Prompts.chat(tokens: 500, streams: true))
            _ = client.response(until: "\"content\":\"«")
            fixture.servers[0].stop()
            let verdict = Verdict(
                client.response(), streams: true,
                reference: Prompts.chatReference(tokens: 500))
            #expect(verdict == .visibleError)
            let next = fixture.post(Prompts.chat())
            #expect(next.status == 502 || next.status == 503)
        }

        /// The race of uvicorn's idle time-out: a connection that its server closed in silence is
        /// noticed by the next request only, which must not suffer from it.
        @Test func aStaleConnectionIsReplacedInSilence() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let body = Prompts.chat(extra: Prompts.fault("keepalive-close:30"))
            for _ in 0..<10 {
                let first = Verdict(
                    fixture.post(body), streams: false, reference: Prompts.chatReference())
                let second = Verdict(
                    fixture.post(Prompts.chat("again")), streams: false,
                    reference: Prompts.chatReference("again"))
                #expect(first == .complete)
                #expect(second == .complete)
            }
        }
    }
}
