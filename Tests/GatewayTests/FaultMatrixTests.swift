import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// Every fault of a model server at every position: the client gets the whole text or an error
    /// that it cannot overlook.
    @Suite struct FaultMatrixTests {
        /// Faults that strike after so many events; nothing can be done about them afterwards.
        static let positional = [
            "cut-chunked", "cut-close", "error-vllm", "error-llama", "stall", "garbage-chunk",
            "no-done", "partial-event",
        ]

        static func impatient(_ configuration: inout GatewayConfiguration) {
            configuration.limits.upstreamFirstByteTimeout = .milliseconds(400)
            configuration.limits.upstreamBetweenBytesTimeout = .milliseconds(300)
        }

        private func judge(
            _ fixture: GatewayFixture, _ fault: String, streams: Bool, isChat: Bool = true
        ) -> Verdict {
            let extra = Prompts.fault(fault)
            if isChat {
                return Verdict(
                    fixture.post(Prompts.chat(streams: streams, extra: extra)),
                    streams: streams, reference: Prompts.chatReference())
            }
            return Verdict(
                fixture.post(
                    Prompts.completion(streams: streams, extra: extra), to: "/v1/completions"),
                streams: streams, reference: Prompts.completionReference())
        }

        /// A sound request in between: the next fault finds a closed circuit breaker, and nothing
        /// of the last one may have stuck.
        private func expectSound(_ fixture: GatewayFixture, after fault: String) {
            #expect(judge(fixture, "none", streams: true) == .complete, "after \(fault)")
        }

        @Test(arguments: [EngineKind.vllm, .llamaServer])
        func faultsInTheMiddleAreSeen(kind: EngineKind) throws {
            let fixture = try GatewayFixture([.init(kind: kind)], Self.impatient)
            defer { fixture.stop() }
            for name in Self.positional {
                for position in 0...5 {
                    let fault = "\(name):\(position)"
                    let stream = judge(fixture, fault, streams: true)
                    #expect(stream == .visibleError, "\(fault), stream")
                    expectSound(fixture, after: fault)
                    let unary = judge(fixture, fault, streams: false)
                    // A fault of streams only.
                    let isSpared = name == "no-done"
                    #expect(
                        unary == (isSpared ? .complete : .visibleError), "\(fault), unary")
                    expectSound(fixture, after: fault)
                }
            }
        }

        @Test(arguments: [EngineKind.vllm, .llamaServer])
        func completionsToo(kind: EngineKind) throws {
            let fixture = try GatewayFixture([.init(kind: kind)], Self.impatient)
            defer { fixture.stop() }
            for name in Self.positional {
                for position in [0, 1, 4] {
                    let fault = "\(name):\(position)"
                    let stream = judge(fixture, fault, streams: true, isChat: false)
                    #expect(stream == .visibleError, "\(fault), stream")
                    expectSound(fixture, after: fault)
                }
            }
        }

        @Test(arguments: [EngineKind.vllm, .llamaServer], [false, true])
        func quirksAreNoFaults(kind: EngineKind, streams: Bool) throws {
            let fixture = try GatewayFixture([.init(kind: kind)], Self.impatient)
            defer { fixture.stop() }
            let quirks = [
                "slow-header:100", "keepalive-close:20", "keepalive-close:0", "max-requests:1",
                "max-requests:2", "comment-pings", "multi-token:1", "multi-token:3",
                "multi-token:100", "missing-usage", "comment-pings,multi-token:2,missing-usage",
            ]
            for quirk in quirks {
                #expect(judge(fixture, quirk, streams: streams) == .complete, "\(quirk)")
                expectSound(fixture, after: quirk)
            }
        }

        @Test(arguments: [false, true]) func refusalsAreSeen(streams: Bool) throws {
            let fixture = try GatewayFixture([.init()]) { configuration in
                Self.impatient(&configuration)
                configuration.limits.attempts = 2
            }
            defer { fixture.stop() }
            let faults = [
                "status-500", "close-before-headers", "slow-header:2000", "status-503",
                "status-429",
            ]
            for fault in faults {
                #expect(judge(fixture, fault, streams: streams) == .visibleError, "\(fault)")
                expectSound(fixture, after: fault)
            }
            let unaryCut = judge(fixture, "unary-cut", streams: streams)
            #expect(unaryCut == (streams ? .complete : .visibleError))
        }

        /// The model server's own words and advice reach the client.
        @Test func aFullModelServerIsQuoted() throws {
            let fixture = try GatewayFixture { $0.limits.attempts = 1 }
            defer { fixture.stop() }
            let answer = fixture.post(Prompts.chat(extra: Prompts.fault("status-503")))
            #expect(answer.status == 503)
            #expect(answer.text.contains("Emulated fault"))
            let seconds = answer.fields["retry-after"].flatMap { Int($0) } ?? 0
            #expect((1...120).contains(seconds))
        }

        /// A unary answer that is too long to hold goes on as it comes: its cut is a broken
        /// connection, on which its beginning may have left or not.
        @Test func aLongUnaryAnswerIsNeverPassedOffAsWhole() throws {
            let fixture = try GatewayFixture { configuration in
                Self.impatient(&configuration)
                configuration.limits.unaryBufferBytes = 64
            }
            defer { fixture.stop() }
            #expect(judge(fixture, "none", streams: false) == .complete)
            for fault in ["unary-cut", "cut-chunked", "cut-close", "garbage-chunk", "partial-event"]
            {
                let verdict = judge(fixture, fault, streams: false)
                #expect(verdict == .visibleError || verdict == .noAnswer, "\(fault)")
                expectSound(fixture, after: fault)
            }
        }
    }
}
