import InferenceTypes
import Testing

@testable import WireProtocols

@Suite struct HTTP1ResponseTests {
    private func parse(_ text: String, toHead: Bool = false) -> HTTP1Outcome {
        let bytes = Array(text.utf8)
        let whole = HTTP1Feeding.responses(bytes, step: max(1, bytes.count), toHead: toHead)
        for step in [1, 2, 3, 7] {
            let pieces = HTTP1Feeding.responses(bytes, step: step, toHead: toHead)
            #expect(pieces == whole, "fed by \(step): \(text.prefix(60).debugDescription)")
        }
        for step in [1, 2, 3, 7, max(1, bytes.count)] where !toHead {
            let unframed = HTTP1Feeding.unframedResponses(bytes, step: step)
            #expect(unframed == whole, "unframed by \(step): \(text.prefix(60).debugDescription)")
        }
        return whole
    }

    @Test func aLengthEndsTheBody() {
        let outcome = parse("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nA: b\r\n\r\nabc")
        #expect(outcome.messages.first?.fields == [":status=200", "content-length=3", "a=b"])
        #expect(outcome.messages.first?.text == "abc")
        #expect(outcome.messages.first?.isComplete == true)
        #expect(outcome.messages.first?.keepAlive == true)
        #expect(outcome.closing == .clean)
    }

    @Test func chunksAreJoined() {
        let outcome = parse(
            "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        #expect(outcome.messages.first?.text == "abcde")
        #expect(outcome.closing == .clean)
    }

    @Test func withoutEitherTheConnectionsEndIsTheBodysEnd() {
        let outcome = parse("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nabc")
        #expect(outcome.messages.first?.text == "abc")
        #expect(outcome.messages.first?.keepAlive == false)
        #expect(outcome.messages.first?.isComplete == false)
        #expect(outcome.closing == .endOfCloseDelimitedBody)
    }

    @Test(arguments: [
        "H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ])
    func aCutResponseIsTruncated(text: String) {
        #expect(parse(text).closing == .truncated)
    }

    @Test(arguments: [
        ("HTTP/1.1 204 No Content\r\n\r\n", false),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true),
    ])
    func someResponsesHaveNoBody(text: String, toHead: Bool) {
        let outcome = parse(text, toHead: toHead)
        #expect(outcome.messages.first?.isComplete == true)
        #expect(outcome.messages.first?.body == [])
        #expect(outcome.closing == .clean)
    }

    @Test func interimResponsesArePassedOver() {
        let outcome = parse(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(outcome.messages.count == 1)
        #expect(outcome.messages.first?.fields == [":status=200", "content-length=0"])
    }

    @Test func aFloodOfInterimResponsesIsRefused() {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n"
        let last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        #expect(parse(String(repeating: interim, count: 8) + last).error == nil)
        #expect(parse(String(repeating: interim, count: 9) + last).error == .tooManyInformational)
    }

    @Test(arguments: [
        ("HTTP/1.1 101 Switch\r\nUpgrade: h2c\r\n\r\n", HTTP1Error.tooManyInformational),
        ("HTTP/2 200 OK\r\n\r\n", .malformedStartLine),
        ("HTTP/1.2 200 OK\r\n\r\n", .malformedStartLine),
        ("http/1.1 200 OK\r\n\r\n", .malformedStartLine),
        ("HTTP/1.1 20 OK\r\n\r\n", .malformedStartLine),
        ("HTTP/1.1 2000 OK\r\n\r\n", .malformedStartLine),
        ("HTTP/1.1 099 OK\r\n\r\n", .malformedStartLine),
        ("HTTP/1.1 600 OK\r\n\r\n", .malformedStartLine),
        ("HTTP/1.1 200 O\rK\r\n\r\n", .malformedStartLine),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", .malformedStartLine),
        ("\r\n\r\n", .malformedStartLine),
        ("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", .bareLineFeed),
        ("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", .bareCarriageReturn),
        ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", .malformedField),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", .foldedField),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            .invalidContentLength
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            .lengthAndChunked
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", .unsupportedTransferEncoding),
    ])
    func hostileResponsesAreRefused(text: String, error: HTTP1Error) {
        #expect(parse(text).error == error)
    }

    @Test func theHeadHasItsOwnLimit() {
        var limits = Limits()
        limits.headerListBytes = 64
        limits.upstreamHeaderBytes = 1_000
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: "
        let fits = Array("\(head)\(String(repeating: "v", count: 500))\r\n\r\n".utf8)
        #expect(HTTP1Feeding.responses(fits, step: 1, limits: limits).error == nil)
        let over = Array("\(head)\(String(repeating: "v", count: 1_500))\r\n\r\n".utf8)
        #expect(HTTP1Feeding.responses(over, step: 1, limits: limits).error == .headTooLarge)
    }

    @Test func whatIsWrittenIsReadBack() {
        var fields = FieldBlock()
        fields.append("content-type", "text/plain")
        fields.append("x-empty", "")
        for framing in [HTTP1Framing.length(5), .chunked, .close] {
            for keepAlive in [true, false] {
                var text: [UInt8] = []
                HTTP1Writer.appendResponseHead(
                    to: &text, status: 429, fields: fields, framing: framing,
                    keepAlive: keepAlive)
                if framing == .chunked { HTTP1Writer.appendChunkSize(to: &text, 5) }
                HTTP1Writer.append("hello", to: &text)
                if framing == .chunked { HTTP1Writer.append("\r\n0\r\n\r\n", to: &text) }
                let outcome = HTTP1Feeding.responses(text, step: 1)
                let message = outcome.messages.first
                #expect(outcome.error == nil)
                #expect(message?.text == "hello")
                #expect(message?.fields.first == ":status=429")
                #expect(message?.fields.contains("content-type=text/plain") == true)
                #expect(message?.isComplete == (framing != .close))
                #expect(message?.keepAlive == (keepAlive && framing != .close))
            }
        }
    }
}

@Suite struct HTTP1GarbageTests {
    /// Valid messages with a few bytes changed, cut or doubled, and plain noise.
    private func mutate(_ seedText: String, _ random: inout RandomSource) -> [UInt8] {
        var bytes = Array(seedText.utf8)
        for _ in 0..<(1 + random.nextIndex(below: 6)) where !bytes.isEmpty {
            let place = random.nextIndex(below: bytes.count)
            switch random.nextIndex(below: 5) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: place)
            case 2: bytes.insert([0x0A, 0x0D, 0x20, 0x3A, 0][random.nextIndex(below: 5)], at: place)
            case 3: bytes.removeSubrange(place...)
            default: bytes.insert(contentsOf: bytes[place...], at: place)
            }
            if bytes.count > 4_000 { bytes.removeSubrange(4_000...) }
        }
        return bytes
    }

    @Test func garbageNeverTraps() {
        var random = RandomSource(seed: 20_250_101)
        let seeds = [
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5;x\r\nhello\r\n0\r\nT: v\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            "\r\n\r\n", "\r",
        ]
        for round in 0..<4_000 {
            let bytes = mutate(seeds[round % seeds.count], &random)
            let step = 1 + random.nextIndex(below: 40)
            let whole = HTTP1Feeding.requests(bytes, step: max(1, bytes.count))
            let pieces = HTTP1Feeding.requests(bytes, step: step)
            if whole.error == nil { #expect(pieces == whole, "round \(round)") }
            let answer = HTTP1Feeding.responses(bytes, step: max(1, bytes.count))
            let cut = HTTP1Feeding.responses(bytes, step: step)
            if answer.error == nil { #expect(cut == answer, "round \(round)") }
        }
    }

    @Test func noiseNeverTraps() {
        var random = RandomSource(seed: 7)
        for _ in 0..<1_000 {
            let bytes = (0..<random.nextIndex(below: 300)).map { _ in
                UInt8(truncatingIfNeeded: random.next())
            }
            _ = HTTP1Feeding.requests(bytes, step: 1 + random.nextIndex(below: 20))
            _ = HTTP1Feeding.responses(bytes, step: 1 + random.nextIndex(below: 20))
        }
    }

    /// Values are looked at eight bytes at a time: no place in one may be forgotten.
    @Test func controlsAreSeenAtEveryPlaceOfAValue() {
        for length in 1...20 {
            for place in 0..<length {
                for byte: UInt8 in [0x01, 0x0B, 0x1F, 0x7F] {
                    var value = [UInt8](repeating: 0x61, count: length)
                    value[place] = byte
                    let head = Array("HTTP/1.1 200 OK\r\nA: ".utf8) + value
                    let outcome = HTTP1Feeding.responses(
                        head + Array("\r\nContent-Length: 0\r\n\r\n".utf8), step: 64)
                    #expect(outcome.error == .malformedField, "\(byte) at \(place) of \(length)")
                }
            }
        }
    }
}
