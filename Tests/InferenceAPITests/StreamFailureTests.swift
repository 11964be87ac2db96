import InferenceTypes
import Testing

@testable import InferenceAPI

@Suite("Streams that fail say so")
struct StreamFailureTests {
    static let causes: [(StreamRelay.EndCause, String)] = [
        (.cut, "stream_cut"), (.closed, "stream_incomplete"), (.clean, "stream_incomplete"),
        (.timeout, "stream_timeout"), (.shutdown, "server_shutdown"),
    ]

    /// Whole events of the stream, then exactly one error event, and no `[DONE]`.
    private func expectOneError(
        _ result: RelayedStream, after events: [String], code: String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let passed = events.joined()
        #expect(result.isFailed && !result.isDone, sourceLocation: location)
        #expect(result.errorCodes == [code], sourceLocation: location)
        #expect(result.text.hasPrefix(passed), sourceLocation: location)
        let rest = result.text.dropFirst(passed.count)
        #expect(rest.hasPrefix("data: {\"error\":{\"message\":\""), sourceLocation: location)
        #expect(rest.hasSuffix("\"}}\n\n"), sourceLocation: location)
        #expect(!rest.dropLast(2).contains("\n"), sourceLocation: location)
        let json = Array(rest.dropFirst(6).dropLast(2).utf8)
        #expect(json.withUnsafeBytes { JSONScanner.isValid($0, depth: 8) })
    }

    @Test(
        "an end before [DONE], between events, is one error event",
        arguments: [StreamSamples.vllm, StreamSamples.llama], causes)
    func endBetweenEvents(events: [String], cause: (StreamRelay.EndCause, String)) {
        for count in 0..<events.count {
            let passed = Array(events[..<count])
            let result = RelayedStream.relay(passed.joined(), end: cause.0)
            expectOneError(result, after: passed, code: cause.1)
        }
    }

    @Test("an end within an event drops its beginning", arguments: causes)
    func endWithinEvent(cause: (StreamRelay.EndCause, String)) {
        let events = StreamSamples.vllm
        for index in events.indices {
            let bytes = Array(events[index].utf8)
            for count in 1..<bytes.count {
                let passed = Array(events[..<index])
                let input = Array(passed.joined().utf8) + bytes[..<count]
                let result = RelayedStream.relay([input], end: cause.0)
                expectOneError(result, after: passed, code: cause.1)
            }
        }
    }

    @Test(
        "an upstream's error event is passed on, and nothing after it",
        arguments: [
            StreamSamples.vllmError + StreamSamples.done, StreamSamples.llamaError,
            "event: error\ndata: {\"message\":\"x\"}\n\n" + StreamSamples.done,
            "data: {\"error\":\"out of memory\"}\n\n" + StreamSamples.vllmText("late"),
        ])
    func upstreamError(tail: String) {
        let shown = tail.firstRange(of: "\n\n").map { String(tail[..<$0.upperBound]) } ?? ""
        for count in 0..<StreamSamples.vllm.count {
            let passed = StreamSamples.vllm[..<count].joined()
            for pieces in [[Array((passed + tail).utf8)], (passed + tail).utf8.map { [$0] }] {
                let result = RelayedStream.relay(pieces)
                #expect(result.text == passed + shown)
                #expect(result.isFailed && !result.isDone)
            }
        }
    }

    @Test("an event over the limit fails the stream, however it is split")
    func oversizedEvent() {
        var limits = Limits()
        limits.eventBytes = 600
        let big = StreamSamples.vllmText(String(repeating: "x", count: 600))
        for count in 0..<StreamSamples.vllm.count - 1 {
            let passed = Array(StreamSamples.vllm[..<count])
            let input = passed.joined() + big + StreamSamples.done
            for pieces in [[Array(input.utf8)], input.utf8.map { [$0] }] {
                let result = RelayedStream.relay(pieces, limits: limits)
                expectOneError(result, after: passed, code: "stream_too_large_event")
            }
        }
        let endless = [UInt8](repeating: 0x20, count: 601)
        expectOneError(
            .relay([endless], limits: limits), after: [], code: "stream_too_large_event")
    }

    @Test("a bare JSON error as the tail is told in an error event")
    func bareErrorTail() {
        let error = "{\"error\":{\"message\":\"CUDA \\\"oom\\\" 부족\",\"code\":500}}"
        let tails = [
            error, error + "\n", error + "\n\n", "data: \(error)", "data:\(error)\r\n",
            "\n" + error, "{\"error\":\"CUDA \\\"oom\\\" 부족\"}",
        ]
        for tail in tails {
            let passed = [StreamSamples.vllm[0]]
            let input = Array((passed.joined() + tail).utf8)
            for pieces in [[input], input.map { [$0] }] {
                let result = RelayedStream.relay(pieces)
                let blank = tail.hasPrefix("\n") ? ["\n"] : []
                expectOneError(result, after: passed + blank, code: "stream_incomplete")
                #expect(result.text.contains("{\"message\":\"CUDA \\\"oom\\\" 부족\",\"type\""))
            }
        }
    }

    @Test("a long message of the upstream's is cut between characters")
    func longMessage() {
        for unit in ["가", "\\u00e9", "\\ud83d\\ude00", "\\n", "🌙"] {
            for offset in 0..<12 {
                let text = String(repeating: "a", count: offset)
                let message = text + String(repeating: unit, count: 400)
                let result = RelayedStream.relay("{\"error\":{\"message\":\"\(message)\"}}")
                expectOneError(result, after: [], code: "stream_incomplete")
                let shown = result.text.components(between: "\"message\":\"", "\",\"type\"")
                let count = shown.first?.utf8.count ?? 0
                #expect(count <= 500 && count > 488)
                #expect((count - offset) % unit.utf8.count == 0)
            }
        }
    }

    @Test("a finish reason without [DONE] is still incomplete")
    func finishReasonAlone() {
        let events = Array(StreamSamples.vllm.dropLast())
        let result = RelayedStream.relay(events.joined(), end: .clean)
        #expect(result.hasFinishReason)
        expectOneError(result, after: events, code: "stream_incomplete")
    }

    @Test("an end after [DONE] changes nothing", arguments: causes)
    func endAfterDone(cause: (StreamRelay.EndCause, String)) {
        let text = StreamSamples.llama.joined()
        let result = RelayedStream.relay(text, end: cause.0)
        #expect(result.text == text)
        #expect(result.isDone)
    }

    @Test("a CRLF stream that ends in CR has its last event whole")
    func lastLineFeedMissing() {
        let bytes = StreamSamples.text(StreamSamples.vllm, lineEnd: "\r\n").dropLast()
        let result = RelayedStream.relay([Array(bytes)])
        #expect(result.isDone)
        #expect(result.output == Array(bytes))
    }

    @Test("garbage between events either passes with the stream or fails it")
    func garbageBetweenEvents() {
        var random = RandomSource(seed: 5)
        for count in 0...StreamSamples.llama.count {
            let garbage = (0..<64).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let before = Array(StreamSamples.llama[..<count].joined().utf8)
            let after = Array(StreamSamples.llama[count...].joined().utf8)
            let whole = RelayedStream.relay([before + garbage + after])
            #expect(whole.isDone || whole.errorCodes.count == 1)
            let cut = RelayedStream.relay([before, garbage], end: .cut)
            #expect(cut.isDone || cut.errorCodes == ["stream_cut"])
        }
    }
}
