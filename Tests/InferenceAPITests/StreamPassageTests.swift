import InferenceTypes
import Testing

@testable import InferenceAPI

@Suite("Whole streams pass unchanged")
struct StreamPassageTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var name: String
        var events: [String]
        var lineEnd: String
        var stripUsage: Bool

        var testDescription: String {
            "\(name), line end \(Array(lineEnd.utf8)), strip usage: \(stripUsage)"
        }

        var input: [UInt8] { StreamSamples.text(events, lineEnd: lineEnd) }

        var expected: [UInt8] {
            let kept = stripUsage ? events.filter { !$0.contains("\"choices\":[]") } : events
            return StreamSamples.text(kept, lineEnd: lineEnd)
        }

        static let all: [Sample] = ["\n", "\r\n", "\r"].flatMap { lineEnd in
            [true, false].flatMap { strip in
                [("vLLM", StreamSamples.vllm), ("llama-server", StreamSamples.llama)].map {
                    Sample(name: $0.0, events: $0.1, lineEnd: lineEnd, stripUsage: strip)
                }
            }
        }
    }

    private func expect(_ sample: Sample, pieces: [[UInt8]], _ how: Comment) {
        let result = RelayedStream.relay(pieces, stripUsage: sample.stripUsage)
        #expect(result.output == sample.expected, how)
        #expect(result.isDone && !result.isFailed, how)
        #expect(result.hasFinishReason, how)
        #expect(result.contentEvents == (sample.name == "vLLM" ? 3 : 2), how)
        #expect(result.usage.outputTokens == (sample.name == "vLLM" ? 4 : 2), how)
        #expect(result.usage.cachedInputTokens == (sample.name == "vLLM" ? 16 : 0), how)
    }

    @Test("event by event, joined and byte by byte", arguments: Sample.all)
    func pieces(sample: Sample) {
        let byEvent = sample.events.map { StreamSamples.text([$0], lineEnd: sample.lineEnd) }
        expect(sample, pieces: byEvent, "by event")
        expect(sample, pieces: [sample.input], "joined")
        expect(sample, pieces: sample.input.map { [$0] }, "byte by byte")
    }

    @Test("split into two at every byte", arguments: Sample.all)
    func everySplit(sample: Sample) {
        let input = sample.input
        for split in 0...input.count {
            let pieces = [Array(input[..<split]), Array(input[split...])]
            let result = RelayedStream.relay(pieces, stripUsage: sample.stripUsage)
            guard result.output == sample.expected, result.isDone else {
                Issue.record("split at \(split): \(result.text)")
                return
            }
        }
    }

    @Test("a byte order mark hides a field anywhere but at the start, from clients and from us")
    func byteOrderMarks() {
        let marked = "\u{FEFF}" + StreamSamples.done
        #expect(RelayedStream.relay(marked).isDone)
        let late = RelayedStream.relay(StreamSamples.vllmText("a") + marked)
        #expect(late.isFailed)
        #expect(late.errorCodes == ["stream_incomplete"])
    }

    @Test("split into three at random, with a byte order mark")
    func randomSplits() {
        let input = [0xEF, 0xBB, 0xBF] + StreamSamples.text(StreamSamples.vllm, lineEnd: "\r\n")
        var random = RandomSource(seed: 17)
        for _ in 0..<500 {
            let a = random.nextIndex(below: input.count)
            let b = a + random.nextIndex(below: input.count - a)
            let result = RelayedStream.relay(
                [Array(input[..<a]), Array(input[a..<b]), Array(input[b...])])
            #expect(result.output == input)
            #expect(result.contentEvents == 3)
        }
    }

    @Test("whole events are forwarded in place, one by one or several at once")
    func wholeEventsAreForwarded() {
        var relay = StreamRelay(task: .chat, stripUsage: true, limits: Limits())
        for event in StreamSamples.vllm.dropLast(2) {
            let count = event.utf8.count
            #expect(receive(event, by: &relay) == .forward(0..<count))
            let thrice = event + event + event
            #expect(receive(thrice, by: &relay) == .forward(0..<3 * count))
        }
        #expect(receive(StreamSamples.usageEvent, by: &relay) == .nothing)
        let last = StreamSamples.vllmText("x")
        let tail = StreamSamples.usageEvent + last + StreamSamples.done
        let start = StreamSamples.usageEvent.utf8.count
        #expect(receive(tail, by: &relay) == .forward(start..<start + last.utf8.count))
        let isDone = relay.isDone
        #expect(isDone)
    }

    @Test("an incomplete event is held, and the fast path comes back after it")
    func incompleteEventIsHeld() {
        var relay = StreamRelay(task: .chat, stripUsage: false, limits: Limits())
        let event = StreamSamples.vllmText("x")
        let count = event.utf8.count
        let middle = event.index(event.startIndex, offsetBy: 20)
        #expect(receive(event + event[..<middle], by: &relay) == .forward(0..<count))
        #expect(receive(String(event[middle...]), by: &relay) == .buffered)
        relay.withPending { #expect($0.elementsEqual(event.utf8)) }
        #expect(receive(event, by: &relay) == .forward(0..<count))
    }

    @Test("only the event that was split is copied, not those that follow it")
    func wholeEventsAfterASplitOneGoOnAsTheyAre() {
        var relay = StreamRelay(task: .chat, stripUsage: false, limits: Limits())
        let event = StreamSamples.vllmText("x")
        let count = event.utf8.count
        let middle = event.index(event.startIndex, offsetBy: 20)
        #expect(receive(String(event[..<middle]), by: &relay) == .nothing)
        let rest = String(event[middle...])
        let start = rest.utf8.count
        #expect(
            receive(rest + event + event + "data: {", by: &relay)
                == .bufferedThen(start..<start + 2 * count))
        relay.withPending { #expect($0.elementsEqual(event.utf8)) }
    }

    @Test("what waits keeps its place before what comes later")
    func pendingKeepsItsPlace() {
        var relay = StreamRelay(task: .chat, stripUsage: false, limits: Limits())
        #expect(receive("data: 1\n", by: &relay) == .nothing)
        #expect(receive("\n", by: &relay) == .buffered)
        #expect(receive("data: 2\n\n", by: &relay) == .bufferedThen(0..<9))
        relay.withPending { #expect($0.elementsEqual("data: 1\n\n".utf8)) }
        relay.withPending { _ in Issue.record("handed out twice") }
    }

    @Test("nothing after the end of an answer is passed on")
    func nothingAfterDone() {
        let text = StreamSamples.vllm.joined()
        let result = RelayedStream.relay(text + StreamSamples.vllmText("late") + text)
        #expect(result.text == text)
    }

    private func receive(_ text: String, by relay: inout StreamRelay) -> StreamRelay.Output {
        Array(text.utf8).withUnsafeBytes { relay.receive($0) }
    }
}
