import InferenceTypes
import Testing

@testable import WireProtocols

private typealias F = HTTP2Frames

@Suite struct HTTP2SessionTests {
    private func bench(_ limits: Limits = Limits(), started: Bool = true) throws -> HTTP2Bench {
        try HTTP2Bench.make(limits, started: started)
    }

    @Test func theFirstFrameAnnouncesTheLimits() throws {
        let bench = try bench(started: false)
        let frames = bench.fill()
        let settings = try #require(frames.first)
        #expect(settings.type == F.settings)
        let payload = settings.payload
        #expect(payload.prefix(6) == [0, 3, 0, 0, 0, 100])
        #expect(frames.contains { $0.type == F.windowUpdate && $0.stream == 0 })
    }

    @Test(arguments: [1, 2, 9, 10, 16 << 10])
    func aRequestIsTheSameHoweverItIsCut(step: Int) throws {
        let bench = try bench(started: false)
        bench.feed(
            F.start + F.request(1, method: "POST", path: "/x", fields: [("a", "b")], end: false)
                + F.body(1, Array("hello ".utf8)) + F.body(1, Array("wide ".utf8))
                + F.request(3) + F.body(1, Array("world".utf8), end: true), step: step)
        #expect(bench.failure == nil)
        #expect(bench.requests.count == 2)
        let first = try #require(bench.requests.first)
        #expect(
            first.fields == [
                ":method=POST", ":scheme=http", ":authority=a", ":path=/x", "a=b",
            ])
        #expect(String(decoding: first.body, as: UTF8.self) == "hello wide world")
        #expect(bench.requests.map(\.isComplete) == [true, true])
        #expect(bench.activeStreams == 2)
    }

    @Test func aResponseLeavesInOneFill() throws {
        let bench = try bench()
        bench.feed(F.request(1))
        let slot = try #require(bench.requests.first?.slot)
        bench.respond(slot, end: false)
        bench.append(slot, Array("one ".utf8))
        bench.append(slot, Array("two".utf8), end: true)
        let frames = bench.fill()
        #expect(frames.map(\.type) == [F.headers, F.data])
        #expect(frames.first?.status == 200)
        #expect(frames.last?.payload == Array("one two".utf8))
        #expect(frames.last?.endsStream == true)
        #expect(bench.closed.map(\.code) == [0])
        #expect(bench.activeStreams == 0)
    }

    @Test func anEndWithoutBytesEndsTheStream() throws {
        let bench = try bench()
        bench.feed(F.request(1))
        let slot = try #require(bench.requests.first?.slot)
        bench.respond(slot, end: false)
        #expect(bench.fill().map(\.type) == [F.headers])
        bench.append(slot, Array("x".utf8))
        #expect(bench.fill().map(\.payload) == [Array("x".utf8)])
        #expect(bench.fill().isEmpty)
        bench.append(slot, [], end: true)
        let last = bench.fill()
        #expect(last.map(\.type) == [F.data])
        #expect(last.first?.endsStream == true)
        #expect(bench.closed.count == 1)
    }

    @Test func thePeersWindowIsRespected() throws {
        let bench = try bench(started: false)
        // A window of 10 bytes for each stream.
        bench.feed(F.preface + F.settings([(4, 10)]) + F.request(1))
        let slot = try #require(bench.requests.first?.slot)
        let body = (0..<25).map { UInt8($0) }
        bench.respond(slot, end: false)
        bench.append(slot, body, end: true)
        func data() -> [UInt8] {
            bench.fill().filter { $0.type == F.data }.flatMap(\.payload)
        }
        #expect(data() == Array(body[..<10]))
        #expect(bench.buffered(slot) == 15)
        #expect(data() == [])
        bench.feed(F.windowUpdate(1, 7))
        #expect(data() == Array(body[10..<17]))
        bench.feed(F.settings([(4, 100)]))
        #expect(data() == Array(body[17...]))
        #expect(bench.closed.map(\.code) == [0])
    }

    @Test func drainedIsToldOnceAndAlsoWhenNothingWaits() throws {
        let bench = try bench()
        bench.feed(F.request(1))
        let slot = try #require(bench.requests.first?.slot)
        bench.respond(slot, end: false)
        bench.append(slot, [UInt8](repeating: 1, count: 60_000))
        bench.session.notifyWhenDrained(slot: slot)
        #expect(bench.drained.isEmpty)
        _ = bench.fill()
        #expect(bench.drained == [slot])
        bench.append(slot, [1, 2, 3])
        _ = bench.fill()
        #expect(bench.drained == [slot])
        // Asked when the buffer is already low, the answer must come all the same.
        bench.session.notifyWhenDrained(slot: slot)
        _ = bench.fill()
        #expect(bench.drained == [slot, slot])
    }

    // MARK: Limits

    @Test func theStreamLimitHoldsBeforeSettingsAreAcknowledged() throws {
        let bench = try bench(started: false)
        bench.feed(F.start + (0..<101).flatMap { F.request(2 * $0 + 1, end: false) })
        #expect(bench.requests.count == 100)
        #expect(bench.activeStreams == 100)
        let resets = bench.fill().filter { $0.type == F.rstStream }
        #expect(resets.map(\.stream) == [201])
        #expect(resets.first?.code == 7)
        bench.feed(F.reset(1))
        bench.feed(F.request(203))
        #expect(bench.requests.count == 101)
    }

    @Test func tooManyFieldsAreAnsweredNotReset() throws {
        let bench = try bench()
        let fields = (0..<97).map { ("f\($0)", "v") }
        bench.feed(F.request(1, fields: Array(fields.prefix(96))))
        #expect(bench.requests.last?.isOverLimit == false)
        bench.feed(F.request(3, fields: fields))
        let request = try #require(bench.requests.last)
        #expect(bench.requests.count == 2)
        #expect(request.isOverLimit && request.fields.isEmpty)
        bench.respond(request.slot, status: 431, end: true)
        #expect(bench.fill().first?.status == 431)
        #expect(bench.failure == nil)
    }

    @Test func aHeadTooLargeIsAnsweredNotReset() throws {
        var limits = Limits()
        limits.headerListBytes = 4_000
        let bench = try bench(limits)
        let value = String(repeating: "v", count: 3_500)
        bench.feed(F.request(1, fields: [("a", value)]))
        bench.feed(F.request(3, fields: [("a", value), ("b", value)]))
        #expect(bench.requests.map(\.isOverLimit) == [false, true])
    }

    @Test func aBombOfReferencesIsCutOff() throws {
        let bench = try bench()
        // One field into the dynamic table, then thousands of one-byte references to it.
        let field: [UInt8] = [0x40, 1, 0x61, 1, 0x62]
        let pseudo = F.block([
            (":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"),
        ])
        bench.feed(
            F.frame(
                F.headers, flags: F.endHeaders | F.endStream, stream: 1,
                pseudo + field + [UInt8](repeating: 0xBE, count: 16_000)))
        #expect(bench.requests.isEmpty)
        let frames = bench.fill()
        #expect(frames.map(\.type) == [F.rstStream])
        #expect(bench.closed.count == 1)
        #expect(bench.activeStreams == 0)
        bench.feed(F.request(3))
        #expect(bench.requests.last?.isOverLimit == false)
    }

    @Test(arguments: [F.ping, F.settings])
    func floodsAreBounded(type: UInt8) throws {
        let bench = try bench()
        let frame = F.frame(type, type == F.ping ? [UInt8](repeating: 0, count: 8) : [])
        bench.feed((0..<100_000).flatMap { _ in frame })
        #expect(bench.failure != nil)
        #expect(bench.glitches >= 500)
    }

    @Test func answeredFloodsAreCounted() throws {
        let bench = try bench()
        for _ in 0..<50 {
            bench.feed((0..<100).flatMap { _ in F.frame(F.ping, [0, 1, 2, 3, 4, 5, 6, 7]) })
            _ = bench.fill()
        }
        #expect(bench.failure == nil)
        #expect(bench.glitches >= 5_000)
    }

    @Test func malformedRequestsAreCountedAndReset() throws {
        let bench = try bench()
        bench.feed(F.request(1, fields: [("Upper", "x")]))
        bench.feed(F.request(3, fields: [("connection", "close")]))
        bench.feed(F.request(5, fields: [("content-length", "7")]))
        #expect(bench.requests.allSatisfy { !$0.isComplete })
        let resets = bench.fill().filter { $0.type == F.rstStream }
        #expect(resets.map(\.stream) == [1, 3, 5])
        #expect(bench.glitches >= 3)
        #expect(bench.activeStreams == 0)
    }

    // MARK: Ends

    @Test func aResetByThePeerClosesTheStream() throws {
        let bench = try bench()
        bench.feed(F.request(1, end: false) + F.request(3))
        bench.feed(F.reset(1, code: 8))
        #expect(bench.closed.map(\.code) == [8])
        #expect(bench.activeStreams == 1)
        // What is sent to a stream that is gone is dropped.
        bench.respond(bench.requests[0].slot, end: false)
        bench.append(bench.requests[0].slot, [1, 2, 3], end: true)
        #expect(!bench.fill().contains { $0.type == F.data })
    }

    @Test func slotsAreReusedWithoutTheirPast() throws {
        let bench = try bench()
        bench.feed(F.request(1, path: "/first", end: false))
        let slot = try #require(bench.requests.first?.slot)
        bench.respond(slot, end: false)
        bench.append(slot, [UInt8](repeating: 7, count: 200_000), end: true)
        bench.session.notifyWhenDrained(slot: slot)
        _ = bench.fill(limit: 1)
        bench.feed(F.reset(1))
        _ = bench.fill()
        #expect(bench.closed.count == 1)

        bench.feed(F.request(3, path: "/second"))
        let second = try #require(bench.requests.last)
        #expect(second.slot == slot)
        #expect(second.fields.last == ":path=/second")
        #expect(bench.buffered(slot) == 0)
        bench.respond(slot, end: false)
        #expect(bench.fill().map(\.type) == [F.headers])
        bench.append(slot, [9], end: true)
        let last = bench.fill()
        #expect(last.map(\.payload) == [[9]])
        #expect(bench.drained.isEmpty)
    }

    @Test func aThousandStreamsNeedOneSlot() throws {
        let bench = try bench()
        for index in 0..<1_000 {
            bench.feed(F.request(2 * index + 1))
            let slot = try #require(bench.requests.last?.slot)
            #expect(slot == 0)
            bench.respond(slot, end: true)
            _ = bench.fill()
        }
        #expect(bench.closed.count == 1_000)
    }

    @Test func anAnswerBeforeTheRequestIsCompleteIsTold() throws {
        let bench = try bench()
        bench.feed(F.request(1, method: "POST", end: false))
        let slot = try #require(bench.requests.first?.slot)
        bench.respond(slot, status: 413, end: true)
        let frames = bench.fill()
        #expect(frames.first?.status == 413)
        #expect(bench.answered == [slot])
        #expect(bench.closed.isEmpty)
        bench.session.reset(slot: slot, code: 0)
        let resets = bench.fill()
        #expect(resets.map(\.type) == [F.rstStream])
        #expect(resets.first?.code == 0)
        #expect(bench.closed.count == 1)
    }

    @Test func aGracefulStopFinishesWhatRuns() throws {
        let bench = try bench()
        bench.feed(F.request(1))
        bench.session.announceShutdown()
        let notice = bench.fill().filter { $0.type == F.goAway }
        #expect(notice.map { Array($0.payload.prefix(4)) } == [[0x7F, 0xFF, 0xFF, 0xFF]])
        // In flight when the notice left: still answered.
        bench.feed(F.request(3))
        #expect(bench.requests.count == 2)
        bench.session.goAway()
        let last = bench.fill().filter { $0.type == F.goAway }
        #expect(last.map { Array($0.payload.prefix(4)) } == [[0, 0, 0, 3]])
        bench.feed(F.request(5))
        #expect(bench.requests.count == 2)
        #expect(!bench.isFinished)
        for request in bench.requests { bench.respond(request.slot, end: true) }
        _ = bench.fill()
        #expect(bench.isFinished)
    }

    @Test func bytesThatAreNotHTTP2AreRefused() throws {
        let bench = try bench(started: false)
        bench.feed(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        guard case .unusable = bench.failure else {
            Issue.record("took HTTP/1.1: \(String(describing: bench.failure))")
            return
        }
    }

    @Test func aProtocolViolationIsToldBeforeTheEnd() throws {
        let bench = try bench()
        bench.feed(F.frame(F.data, stream: 0, [1]))
        bench.feed(F.request(1))
        #expect(bench.failure == nil)
        #expect(bench.requests.isEmpty && !bench.isFinished)
        #expect(bench.fill().contains { $0.type == F.goAway && $0.code == 1 })
        #expect(bench.isFinished)
    }

    @Test func noiseNeverTraps() throws {
        var random = RandomSource(seed: 11)
        for _ in 0..<300 {
            let bench = try bench()
            for _ in 0..<10 where bench.failure == nil {
                var frame = F.request(1 + 2 * random.nextIndex(below: 4), end: false)
                if random.nextIndex(below: 2) == 0 {
                    let payload = (0..<random.nextIndex(below: 60)).map { _ in
                        UInt8(truncatingIfNeeded: random.next())
                    }
                    frame = F.frame(
                        UInt8(random.nextIndex(below: 11)),
                        flags: UInt8(truncatingIfNeeded: random.next()),
                        stream: random.nextIndex(below: 9), payload)
                }
                bench.feed(frame, step: 1 + random.nextIndex(below: 20))
                for request in bench.requests { bench.append(request.slot, [1, 2]) }
                _ = bench.fill()
            }
        }
    }
}
