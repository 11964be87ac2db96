import InferenceTypes
import Testing

@testable import WireProtocols

private typealias F = HTTP2Frames

/// Faults of the connection, and how it says so.
@Suite struct HTTP2ViolationTests {
    @Test func theLastFrameNeverComesBeforeSettings() throws {
        let bench = try HTTP2Bench.make(started: false)
        bench.feed(Array("PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n".utf8) + F.settings())
        #expect(bench.failure?.code == 1)
        var reader = HTTP2FrameReader()
        let frames = reader.append(bench.session.lastFrames(code: 1))
        #expect(frames.map(\.type) == [F.settings, F.goAway])
        #expect(frames.first?.flags == 0)
    }

    // MARK: What the library lets pass

    /// Each is fed whole and in small pieces, behind a stream that is open.
    private func failures(_ bytes: [UInt8], smallest: Int = 1) throws -> [UInt32?] {
        try [16 << 10, smallest].map { step in
            let bench = try HTTP2Bench.make()
            bench.feed(F.request(1, method: "POST", end: false))
            bench.feed(bytes, step: step)
            return bench.failure?.code
        }
    }

    struct Settings: Sendable {
        var pairs: [(id: Int, value: Int)]
        var code: UInt32?
    }

    static let bad: [Settings] = [
        Settings(pairs: [(2, 7), (2, 0)], code: 1),
        Settings(pairs: [(5, 16_383), (5, 16_384)], code: 1),
        Settings(pairs: [(5, 16_777_216)], code: 1),
        Settings(pairs: [(4, 2_147_483_648), (4, 0)], code: 3),
        Settings(pairs: [(8, 2)], code: 1),
        Settings(pairs: [(9, 2)], code: 1),
        Settings(pairs: [(77, 1), (2, 2)], code: 1),
    ]

    static let good: [Settings] = [
        Settings(pairs: []),
        Settings(pairs: [(2, 0), (2, 1)]),
        Settings(pairs: [(5, 16_384), (5, 16_777_215)]),
        Settings(pairs: [(4, 2_147_483_647), (4, 0)]),
        Settings(pairs: [(8, 1), (9, 1)]),
        Settings(pairs: [(77, 2_147_483_647)]),
    ]

    @Test(arguments: bad + good)
    func aBadSettingEndsTheConnection(settings: Settings) throws {
        #expect(try failures(F.settings(settings.pairs)) == [settings.code, settings.code])
    }

    @Test func aContinuationLongerThanAFrameEndsTheConnection() throws {
        let start = F.frame(F.headers, flags: F.endStream, stream: 3, F.block([(":method", "GET")]))
        func part(_ count: Int) -> [UInt8] {
            F.frame(F.continuation, stream: 3, [UInt8](repeating: 0x82, count: count))
        }
        #expect(try failures(start + part(16_385), smallest: 1_000) == [6, 6])
        #expect(try failures(start + part(16_384), smallest: 1_000) == [nil, nil])
    }

    /// However TCP cuts them.
    @Test func aBlockOfTooManyPartsEndsTheConnection() throws {
        func block(_ stream: Int, parts: Int, isWhole: Bool) -> [UInt8] {
            let fields = F.block([(":method", "GET")])
            let first = F.frame(F.headers, flags: F.endStream, stream: stream, fields)
            return (0..<parts).reduce(first) { block, index in
                let flags = isWhole && index == parts - 1 ? F.endHeaders : 0
                return block + F.frame(F.continuation, flags: flags, stream: stream)
            }
        }
        #expect(try failures(block(3, parts: 9, isWhole: false)) == [11, 11])
        #expect(try failures(block(3, parts: 8, isWhole: false)) == [nil, nil])
        let two = block(3, parts: 8, isWhole: true) + block(5, parts: 8, isWhole: true)
        #expect(try failures(two) == [nil, nil])
    }

    @Test func settingsThatOverflowAWindowEndTheConnection() throws {
        let most = (1 << 31) - 1
        let wide = F.windowUpdate(1, most - 65_535)
        #expect(try failures(wide + F.settings([(4, 65_536)])) == [3, 3])
        #expect(try failures(wide + F.settings([(4, 65_535)])) == [nil, nil])
        #expect(try failures(wide + F.settings([(4, 0)]) + F.settings([(4, 65_535)])) == [nil, nil])
        // No stream, no window.
        let gone = wide + F.reset(1) + F.settings([(4, most)])
        #expect(try failures(gone) == [nil, nil])
    }

    @Test func answersThatNobodyTakesAreBounded() throws {
        var limits = Limits()
        limits.outboundFrames = 50
        let bench = try HTTP2Bench.make(limits)
        let ping = F.frame(F.ping, [UInt8](repeating: 0, count: 8))
        for _ in 0..<50 { bench.feed(ping) }
        #expect(bench.failure == nil)
        bench.feed(ping)
        #expect(bench.failure == .abusive)
        #expect(bench.failure?.code == 11)
    }

    @Test func statusAHundredComesBeforeTheAnswer() throws {
        let bench = try HTTP2Bench.make()
        bench.feed(F.request(1, method: "POST", fields: [("expect", "100-continue")], end: false))
        let slot = try #require(bench.requests.first?.slot)
        #expect(!bench.isRequestOver(slot))
        bench.session.sendContinue(slot: slot)
        let first = bench.fill()
        #expect(first.map(\.type) == [F.headers])
        #expect(first.first?.status == 100 && first.first?.endsStream == false)
        bench.feed(F.body(1, [1], end: true))
        #expect(bench.isRequestOver(slot))
        bench.respond(slot, end: true)
        #expect(bench.fill().first { $0.type == F.headers }?.status == 200)
        #expect(bench.causes == [.us])
    }
}
