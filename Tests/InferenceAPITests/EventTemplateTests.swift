import InferenceTypes
import Testing

@testable import InferenceAPI

@Suite("Events like the one before them are not read again")
struct EventTemplateTests {
    /// What observing the events one by one gives, each by an observer that has seen no other.
    private struct Sum: Equatable {
        var events = 0
        var contentEvents = 0
        var verdicts: [StreamObserver.Verdict] = []
        var usage = Usage()
        var hasFinishReason = false
    }

    private func observer(_ task: InferenceTask) -> StreamObserver {
        StreamObserver(task: task, stripUsage: false, choices: 1)
    }

    /// Each event read by itself.
    private func readEach(_ events: [String], task: InferenceTask) -> Sum {
        var sum = Sum()
        for event in events {
            var observer = observer(task)
            sum.verdicts.append(Array(event.utf8).withUnsafeBytes { observer.examine($0) })
            sum.events += observer.events
            sum.contentEvents += observer.contentEvents
            if observer.usage != Usage() { sum.usage = observer.usage }
            sum.hasFinishReason = sum.hasFinishReason || observer.hasFinishReason
        }
        return sum
    }

    /// All by one observer, which passes what it can; and how many it passed unread.
    private func passMany(_ events: [String], task: InferenceTask) -> (sum: Sum, unread: Int) {
        var observer = observer(task)
        var sum = Sum()
        var unread = 0
        for event in events {
            let verdict = Array(event.utf8).withUnsafeBytes { bytes in
                let end = observer.pass(bytes, from: 0, limit: 1 << 20)
                if end > 0 {
                    #expect(end == bytes.count, "passed a part of \(event)")
                    unread += 1
                    return StreamObserver.Verdict.pass
                }
                return observer.examine(bytes)
            }
            sum.verdicts.append(verdict)
        }
        sum.events = observer.events
        sum.contentEvents = observer.contentEvents
        sum.usage = observer.usage
        sum.hasFinishReason = observer.hasFinishReason
        return (sum, unread)
    }

    /// The same, with as many events at once as pass.
    private func passJoined(_ events: [String], task: InferenceTask) -> Sum {
        var observer = observer(task)
        var sum = Sum()
        let texts = events.map { Array($0.utf8) }
        Array(texts.joined()).withUnsafeBytes { bytes in
            var offset = 0
            var index = 0
            while index < texts.count {
                let end = observer.pass(bytes, from: offset, limit: 1 << 20)
                while offset < end {
                    sum.verdicts.append(.pass)
                    offset += texts[index].count
                    index += 1
                }
                #expect(offset == end, "passed a part of an event")
                guard index < texts.count else { break }
                let block = UnsafeRawBufferPointer(
                    rebasing: bytes[offset..<offset + texts[index].count])
                sum.verdicts.append(observer.examine(block))
                offset += texts[index].count
                index += 1
            }
        }
        sum.events = observer.events
        sum.contentEvents = observer.contentEvents
        sum.usage = observer.usage
        sum.hasFinishReason = observer.hasFinishReason
        return sum
    }

    private func compare(
        _ events: [String], task: InferenceTask = .chat, unread: Int? = nil,
        at place: SourceLocation = #_sourceLocation
    ) {
        let many = passMany(events, task: task)
        let each = readEach(events, task: task)
        #expect(many.sum == each, sourceLocation: place)
        #expect(passJoined(events, task: task) == each, sourceLocation: place)
        if let unread { #expect(many.unread == unread, sourceLocation: place) }
    }

    private let texts = [
        "a", "", "안녕 🌙", "\\\"", "\\\\", "\\u00e9 and more than sixteen bytes", "}",
    ]

    @Test("text of any kind fits, and empty text is no content")
    func textOfAnyKind() {
        let events = texts.map { StreamSamples.vllmText($0) }
        compare(events, unread: texts.count - 1)
        let llama = texts.map {
            StreamSamples.llamaChunk(
                "{\"finish_reason\":null,\"index\":0,\"delta\":{\"content\":\"\($0)\"}}")
        }
        compare(llama, unread: texts.count - 1)
    }

    @Test("pieces of a tool call's arguments fit")
    func toolCalls() {
        let events = texts.map {
            StreamSamples.vllmChunk(
                "{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
                    + "\"arguments\":\"\($0)\"}}]},\"finish_reason\":null}")
        }
        compare(events, unread: texts.count - 1)
    }

    @Test("deltas of the responses API fit, their numbers too")
    func responses() {
        let events = texts.enumerated().map { number, text in
            "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\","
                + "\"item_id\":\"m\",\"delta\":\"\(text)\",\"sequence_number\":\(number * 7)}\n\n"
        }
        compare(events, task: .responses, unread: texts.count - 1)
        let others = events.map { $0.split(separator: "output_text").joined(separator: "other") }
        compare(others, task: .responses, unread: texts.count - 1)
    }

    @Test("what is of note is read wherever it comes")
    func ofNote() {
        let plain = StreamSamples.vllmText("x")
        let special = [
            plain.split(separator: "null,\"token").joined(separator: "\"stop\",\"token"),
            StreamSamples.usageEvent, StreamSamples.vllmError, StreamSamples.done,
            "event: error\n" + plain, plain.split(separator: "\n\n")[0] + ",\n\n", ": ping\n\n",
            StreamSamples.vllmChunk(
                "{\"index\":0,\"delta\":{\"content\":\"x\"},\"finish_reason\":null}",
                tail: ",\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9}"),
        ]
        for event in special {
            compare([plain, plain, event, plain, plain])
            compare([plain, plain, event, plain, plain], task: .responses)
        }
    }

    @Test("a string that does not end on its line never fits")
    func brokenStrings() {
        let plain = StreamSamples.vllmText("x")
        for text in ["\n", "\r", "\n\n", "\\\n", "\\", "a\n\ndata: [DONE]\n\n"] {
            let broken = StreamSamples.vllmText(text)
            let passed = passMany([plain, broken], task: .chat)
            #expect(passed.unread == 0)
        }
        // One whose last string never ends is no model for others.
        let open = String(plain.dropLast(4)) + ",\"x\":\"}\n\n"
        #expect(passMany([open, open], task: .chat).unread == 0)
    }

    @Test("single bytes changed anywhere: the same as reading each")
    func mutations() {
        var random = RandomSource(seed: 5)
        let plain = Array(StreamSamples.vllmText("안 x").utf8)
        let bytes = Array("\"\\{}[]:,0e-nx\u{1}".utf8) + [0xED, 0x80]
        for place in 0..<plain.count - 2 {
            for _ in 0..<4 {
                var mutated = plain
                mutated[place] = bytes[random.nextIndex(below: bytes.count)]
                let changed = String(decoding: mutated, as: UTF8.self)
                compare([
                    StreamSamples.vllmText("y"), changed, changed, StreamSamples.vllmText("z"),
                ])
            }
        }
    }

    @Test("cut anywhere, an event does not fit")
    func cuts() {
        let whole = Array(StreamSamples.vllmText("some text").utf8)
        for count in 0..<whole.count {
            var observer = observer(.chat)
            _ = whole.withUnsafeBytes { observer.examine($0) }
            let passed = Array(whole[..<count]).withUnsafeBytes {
                observer.pass($0, from: 0, limit: 1 << 20)
            }
            #expect(passed == 0)
        }
    }

    @Test("a buffer of events that is cut anywhere passes up to its last whole event")
    func joinedCuts() {
        func learned() -> StreamObserver {
            var observer = observer(.chat)
            for text in ["a", "b"] {
                Array(StreamSamples.vllmText(text).utf8).withUnsafeBytes { bytes in
                    if observer.pass(bytes, from: 0, limit: 1 << 20) == 0 {
                        _ = observer.examine(bytes)
                    }
                }
            }
            return observer
        }
        let events = ["some text", "", "안 \\\" x"].map { Array(StreamSamples.vllmText($0).utf8) }
        let bytes = Array(events.joined())
        let ends = [0, events[0].count, events[0].count + events[1].count, bytes.count]
        for count in 0...bytes.count {
            var observer = learned()
            let end = bytes[..<count].withUnsafeBytes {
                observer.pass($0, from: 0, limit: 1 << 20)
            }
            let whole = ends.lastIndex { $0 <= count } ?? 0
            #expect(end == ends[whole], "cut at \(count)")
            #expect(observer.events == 2 + whole)
            // The second of them is empty.
            #expect(observer.contentEvents == 2 + [0, 1, 1, 2][whole])
        }
    }

    @Test("an event over the limit ends a run in the middle of a buffer")
    func limitWithinRun() {
        let short = StreamSamples.vllmText("x")
        let long = StreamSamples.vllmText(String(repeating: "y", count: 100))
        let texts = [short, StreamSamples.vllmText("z"), short, long, short]
        Array(texts.joined().utf8).withUnsafeBytes { bytes in
            var observer = observer(.chat)
            let first = short.utf8.count
            _ = observer.examine(UnsafeRawBufferPointer(rebasing: bytes[..<first]))
            #expect(observer.pass(bytes, from: first, limit: first + 50) == 3 * first)
            #expect(observer.events == 3)
        }
    }

    @Test("eight holes may all vary, nine are too many")
    func manyHoles() {
        func event(_ values: [Int]) -> String {
            let members = values.enumerated().map { ",\"k\($0)\":\"\($1)\"" }.joined()
            return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]\(members)}\n\n"
        }
        for (count, unread) in [(7, 5), (8, 0)] {
            compare((0..<6).map { event(Array(repeating: $0, count: count)) }, unread: unread)
        }
    }

    @Test("content of choices that others follow is counted each time")
    func choicesTwice() {
        for second in ["[]", "null", "[{\"delta\":{\"content\":\"\"}}]"] {
            let event =
                "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}],\"choices\":\(second)}\n\n"
            compare(Array(repeating: event, count: 4))
        }
    }

    @Test("a stream whose events differ in more is left alone, a long event is not kept")
    func patience() {
        func numbered(_ number: Int) -> String {
            "id: \(number)\n" + StreamSamples.vllmText("x")
        }
        let differing = (0..<20).map(numbered)
        #expect(passMany(differing, task: .chat).unread == 0)
        let after = Array(repeating: StreamSamples.vllmText("x"), count: 4)
        #expect(passMany(differing + after, task: .chat).unread == 0)
        compare(differing + after)
        let long = StreamSamples.vllmChunk(
            "{\"index\":0,\"delta\":{\"content\":\"x\"},\"y\":["
                + String(repeating: "0,", count: EventTemplate.longest) + "0]}")
        #expect(passMany([long, long], task: .chat).unread == 0)
    }

    @Test("a value that was the same in many events may be another in the next, and the same again")
    func steadyValues() {
        func event(_ id: String, _ created: String, _ text: String) -> String {
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\(text)\"}}],"
                + "\"created\":\(created),\"id\":\"\(id)\",\"object\":\"chunk\"}\n\n"
        }
        let events = [
            event("a", "12", "x"), event("a", "12", "x"), event("a", "12", "y"),
            event("ab", "12", "y"), event("a", "12", ""), event("a", "123", ""),
            event("", "1", "z"), event("a", "12", "x"), event("a", "12", ""),
        ]
        compare(events, unread: events.count - 1)
        let empty = Array(repeating: event("a", "12", ""), count: 3)
        compare(empty + events, unread: 2 + events.count)
        // Not a number where there was one, and no end of a text that has been steady.
        compare(events + [event("a", "x", "y"), event("a\"", "12", "y")])
    }

    @Test("an event over the limit is refused whether or not it fits")
    func limit() {
        var limits = Limits()
        limits.eventBytes = 400
        let long = StreamSamples.vllmText(String(repeating: "x", count: 400))
        let result = RelayedStream.relay(StreamSamples.vllmText("a") + long, limits: limits)
        #expect(result.errorCodes == ["stream_too_large_event"])
        #expect(result.contentEvents == 1)
    }
}
