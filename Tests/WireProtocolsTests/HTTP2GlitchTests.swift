import InferenceTypes
import Testing

@testable import WireProtocols

private typealias F = HTTP2Frames

/// What counts as suspicious, how often, and what does not.
@Suite struct HTTP2GlitchTests {
    /// How many glitches `bytes` bring on a connection with stream 1 open.
    private func glitches(_ bytes: [UInt8]) throws -> Int {
        let bench = try HTTP2Bench.make()
        bench.feed(F.request(1, method: "POST", end: false))
        let before = bench.glitches
        bench.feed(bytes)
        _ = bench.fill()
        return bench.glitches - before
    }

    private static let ping = F.frame(F.ping, [UInt8](repeating: 0, count: 8))

    @Test(arguments: [
        ping, F.frame(F.ping, flags: F.acknowledge, [UInt8](repeating: 0, count: 8)),
        F.settings(), F.settings([(4, 100_000)]),
        F.frame(F.priority, stream: 1, [0, 0, 0, 0, 9]),
        F.frame(F.priority, stream: 77, [0, 0, 0, 0, 9]),
        F.frame(0x0B), F.frame(0x10, [0, 0, 0, 1, 0x75]), F.frame(0xFE, stream: 1, [1, 2, 3]),
        F.body(1, []), F.frame(F.data, flags: 0x8, stream: 1, [2, 0, 0]),
        F.request(3, fields: [("Upper", "x")]), F.request(3, fields: [("connection", "x")]),
        F.request(3, fields: [("content-length", "7")]),
        F.request(3, method: "POST", fields: [("content-length", "1")], end: false)
            + F.body(3, [1, 2]),
        F.windowUpdate(1, 0x7FFF_FFFF),
        F.frame(
            F.headers, flags: F.endHeaders | F.endStream, stream: 1, F.block([(":path", "/")])),
    ])
    func oneFrameIsOneGlitch(bytes: [UInt8]) throws {
        #expect(try glitches(bytes) == 1)
    }

    @Test(arguments: [
        F.body(1, [1]), F.body(1, [], end: true), F.reset(1),
        F.request(3), F.windowUpdate(0, 100), F.windowUpdate(1, 100),
        F.frame(
            F.headers, flags: F.endHeaders | F.endStream, stream: 1, F.block([("t", "1")])),
    ])
    func whatAnHonestClientSendsIsNone(bytes: [UInt8]) throws {
        #expect(try glitches(bytes) == 0)
    }

    @Test func aRefusedStreamIsOneGlitchWhetherOrNotThePeerReads() throws {
        var limits = Limits()
        limits.concurrentStreams = 1
        let bench = try HTTP2Bench.make(limits, started: false)
        bench.feed(F.start + F.request(1) + F.request(3) + F.request(5))
        #expect(bench.glitches == 3, "the start's SETTINGS is one")
        let resets = bench.fill().filter { $0.type == F.rstStream }
        #expect(resets.map(\.code) == [7, 7])
        #expect(bench.glitches == 3)
        // Who has acknowledged the limit knows better.
        bench.feed(F.settingsAcknowledged + F.request(7))
        #expect(bench.fill().first { $0.type == F.goAway }?.code == 1)
    }

    @Test func anAnswerThatEndsTheRequestIsNone() throws {
        let bench = try HTTP2Bench.make()
        let before = bench.glitches
        for id in [1, 3] {
            bench.feed(F.request(id, method: "POST", end: false))
            let slot = try #require(bench.requests.last?.slot)
            bench.respond(slot, status: 413, end: true)
            _ = bench.fill()
            bench.session.reset(slot: slot, code: id == 1 ? 0 : 2)
            _ = bench.fill()
        }
        #expect(bench.glitches == before)
        #expect(bench.causes == [.us, .us])
    }

    @Test func everyEndHasItsCause() throws {
        let bench = try HTTP2Bench.make()
        for id in [1, 3, 5, 7] { bench.feed(F.request(id, method: "POST", end: false)) }
        bench.feed(F.body(1, [1], end: true))
        bench.respond(bench.requests[0].slot, end: true)
        _ = bench.fill()
        bench.feed(F.reset(3, code: 0) + F.windowUpdate(5, 0x7FFF_FFFF))
        bench.session.reset(slot: bench.requests[3].slot, code: 8)
        _ = bench.fill()
        #expect(bench.causes == [.us, .resetByPeer, .violation, .us])
        // A reset that crosses the end of an answer.
        bench.feed(F.reset(1) + F.reset(1))
        #expect(bench.signs.lateResets == 2)
    }

    @Test func headersThatNobodyTakesAreCounted() throws {
        let bench = try HTTP2Bench.make()
        bench.feed(F.request(1))
        bench.session.goAway()
        _ = bench.fill()
        let before = bench.glitches
        for index in 1...500 { bench.feed(F.request(2 * index + 1)) }
        #expect(bench.glitches - before == 500)
        #expect(bench.requests.count == 1)
    }

    @Test("a head in pieces is one that was taken, whatever stands before its fields")
    func headsInPieces() throws {
        let bench = try HTTP2Bench.make()
        let before = bench.glitches
        let block = F.block([
            (":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"),
        ])
        let priority: UInt8 = 0x20
        let bytes = F.frame(
            F.headers, flags: F.endHeaders | F.endStream | priority, stream: 1,
            [0, 0, 0, 0, 1] + block)
        bench.feed(bytes, step: 9)
        #expect(bench.requests.count == 1)
        #expect(bench.glitches == before)
    }

    // MARK: Windows

    @Test("what opens windows right behind its requests may, in one piece or many",
        arguments: [1, 100_000])
    func updatesBehindHeads(step: Int) throws {
        let bench = try HTTP2Bench.make()
        let before = bench.glitches
        let bytes = (0..<30).flatMap { index in
            F.request(2 * index + 1) + F.windowUpdate(2 * index + 1, 100)
        }
        bench.feed(bytes, step: step)
        #expect(bench.glitches == before)
    }

    /// A client that takes `reads` bytes at a time and opens both windows after each.
    @Test(arguments: [16_384, 4_096, 512])
    func aReaderMayOpenWindowsAsItReads(reads: Int) throws {
        let bench = try HTTP2Bench.make()
        bench.feed(F.request(1))
        let slot = try #require(bench.requests.first?.slot)
        bench.respond(slot, end: false)
        let before = bench.glitches
        var unread = 0
        for _ in 0..<200 {
            bench.append(slot, [UInt8](repeating: 1, count: 16_384))
            for frame in bench.fill() where frame.type == F.data { unread += frame.payload.count }
            while unread >= reads {
                unread -= reads
                bench.feed(F.windowUpdate(0, reads) + F.windowUpdate(1, reads))
            }
        }
        #expect(bench.glitches == before)
    }

    @Test func manySmallEventsMayBeTakenOneByOne() throws {
        let bench = try HTTP2Bench.make()
        bench.feed(F.request(1))
        let slot = try #require(bench.requests.first?.slot)
        bench.respond(slot, end: false)
        let before = bench.glitches
        for _ in 0..<5_000 {
            bench.append(slot, [UInt8](repeating: 1, count: 40))
            #expect(bench.fill().contains { $0.type == F.data })
            bench.feed(F.windowUpdate(0, 40) + F.windowUpdate(1, 40))
        }
        #expect(bench.glitches == before)
    }

    @Test func windowsWithoutNeedAreCounted() throws {
        let bench = try HTTP2Bench.make()
        bench.feed(F.request(1))
        let before = bench.glitches
        for _ in 0..<1_000 { bench.feed(F.windowUpdate(0, 1)) }
        #expect(bench.glitches - before == 1_000 - 12)
    }

    // MARK: Bombs

    @Test(arguments: [(17, 1), (3, 2_000)])
    func trailersOverTheLimitsResetTheStream(count: Int, length: Int) throws {
        let trailers = (0..<count).map { ("t\($0)", String(repeating: "v", count: length)) }
        func send(_ fields: [(String, String)]) throws -> (HTTP2Bench, Int) {
            let bench = try HTTP2Bench.make()
            bench.feed(F.request(1, method: "POST", end: false))
            let before = bench.glitches
            bench.feed(
                F.frame(
                    F.headers, flags: F.endHeaders | F.endStream, stream: 1, F.block(fields)))
            return (bench, bench.glitches - before)
        }
        let (over, counted) = try send(trailers)
        #expect(over.fill().map(\.type) == [F.rstStream])
        #expect(over.causes == [.violation])
        #expect(over.requests.first?.isComplete == false)
        #expect(counted == 1)
        let (under, none) = try send(Array(trailers.dropLast()))
        #expect(under.requests.first?.isComplete == true)
        #expect(none == 0)
    }

    @Test func aHeadersFrameOnASkippedStreamEndsTheConnection() throws {
        let bench = try HTTP2Bench.make()
        bench.feed(F.request(5))
        bench.feed(F.request(3))
        let goAway = bench.fill().first { $0.type == F.goAway }
        #expect(goAway?.code == 1)
        #expect(bench.requests.count == 1)
        bench.feed(F.request(7))
        #expect(bench.requests.count == 1)
    }

    @Test func theLastFrameNamesTheLastStream() throws {
        let bench = try HTTP2Bench.make()
        bench.feed(F.request(1) + F.request(3))
        var reader = HTTP2FrameReader()
        let frames = reader.append(bench.session.lastFrames(code: 11))
        #expect(frames.count == 1)
        #expect(frames.first?.type == F.goAway && frames.first?.code == 11)
        #expect(frames.first?.payload.prefix(4) == [0, 0, 0, 3])
    }
}
