import InferenceTypes
import Testing

@testable import WireProtocols

@Suite struct HTTP1ChunkTests {
    private let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    private func parse(_ chunks: String) -> HTTP1Outcome {
        let bytes = Array((head + chunks).utf8)
        let whole = HTTP1Feeding.requests(bytes, step: bytes.count)
        for step in [1, 2, 5] {
            let pieces = HTTP1Feeding.requests(bytes, step: step)
            #expect(pieces.error == whole.error, "fed by \(step): \(chunks.prefix(60))")
            if whole.error == nil { #expect(pieces == whole) }
        }
        expectSameOfResponse(chunks, whole)
        return whole
    }

    /// An answer in these chunks, its framing taken off many chunks at a time.
    private func expectSameOfResponse(_ chunks: String, _ request: HTTP1Outcome) {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        let bytes = Array((head + chunks).utf8)
        for step in [1, 2, 3, 5, bytes.count] {
            let response = HTTP1Feeding.unframedResponses(bytes, step: step)
            #expect(response.error == request.error, "unframed by \(step): \(chunks.prefix(60))")
            guard request.error == nil else { continue }
            #expect(response.messages.first?.body == request.messages.first?.body)
            #expect(response.messages.first?.isComplete == request.messages.first?.isComplete)
        }
    }

    @Test func manyChunksAreMovedTogether() {
        let sizes = [1, 15, 16, 255, 3, 4_096, 7, 70_000, 2]
        let chunks = sizes.enumerated().map { index, size in
            let letter = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(index)))
            return "\(String(size, radix: 16))\r\n"
                + String(repeating: letter, count: size) + "\r\n"
        }
        for end in ["", "0\r\n\r\n", "2;a=b\r\nzz\r\n0\r\nT: 1\r\n\r\n", "5\r\nab"] {
            let outcome = parse(chunks.joined() + end)
            #expect(outcome.error == nil)
            #expect(outcome.messages.first?.body.count ?? 0 >= sizes.reduce(0, +))
        }
    }

    @Test func aChunkedBodyIsTheSameAtEverySplit() {
        let body = "5\r\nhello\r\n1;a=\"b\"\r\n \r\n0b \r\nbig big wrld\r\n0\r\nT: 1\r\n\r\n"
            .replacing("wrld", with: "wor")
        let bytes = Array((head + body + head).utf8)
        let whole = HTTP1Feeding.requests(bytes, step: bytes.count)
        #expect(whole.error == nil)
        #expect(whole.messages.first?.text == "hello big big wor")
        for first in 1..<bytes.count {
            let outcome = HTTP1Feeding.requests(bytes, step: bytes.count, first: first)
            #expect(outcome == whole, "split at \(first)")
        }
    }

    @Test func framingComesOffTheSameAtEverySplit() {
        let chunks = "5\r\nhello\r\n0000001\r\n \r\n00000004\r\nbig \r\n3\r\nbig\r\n"
            + "B\r\n, big world\r\n0\r\nT: 1\r\n\r\n"
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        let bytes = Array((head + chunks).utf8)
        let whole = HTTP1Feeding.unframedResponses(bytes, step: bytes.count)
        #expect(whole.messages.first?.text == "hello big big, big world")
        for first in 1..<bytes.count {
            let outcome = HTTP1Feeding.unframedResponses(bytes, step: bytes.count, first: first)
            #expect(outcome == whole, "split at \(first)")
        }
    }

    @Test(arguments: [
        ("\r\n", HTTP1Error.malformedChunk),
        ("g\r\n", .malformedChunk),
        ("-1\r\n", .malformedChunk),
        ("0x5\r\nhello\r\n", .malformedChunk),
        ("5\nhello\r\n", .malformedChunk),
        ("5\rhello\r\n", .bareCarriageReturn),
        ("5;a\nhello\r\n", .malformedChunk),
        ("5 5\r\nhello\r\n", .malformedChunk),
        ("5" + String(repeating: " ", count: 500) + "\r\nhello\r\n", .malformedChunk),
        ("5\r\nhelloX\r\n", .malformedChunk),
        ("5\r\nhello\n", .malformedChunk),
        ("5\r\nhello\rX", .malformedChunk),
        ("1000000000000000\r\n", .chunkTooLong),
        ("0000000000000005\r\n", .chunkTooLong),
        ("0\r\nT: 1\n\r\n", .bareLineFeed),
        ("0\r\n\n", .bareLineFeed),
        ("0\r\nGET / HTTP/1.1\r\n\r\n", .malformedField),
        ("0\r\nT : 1\r\n\r\n", .malformedField),
        ("0\r\nT: \u{0}\r\n\r\n", .malformedField),
        ("0\r\nT: a\rb\r\n\r\n", .bareCarriageReturn),
        ("0\r\nT: 1\r\n fold\r\n\r\n", .foldedField),
    ])
    func malformedChunksAreRefused(chunks: String, error: HTTP1Error) {
        #expect(parse(chunks).error == error)
    }

    @Test func theLargestSizeOverflowsNothing() {
        let outcome = parse("fffffffffffffff\r\nabc")
        #expect(outcome.error == nil)
        #expect(outcome.messages.first?.text == "abc")
        #expect(outcome.messages.first?.isComplete == false)
    }

    @Test func extensionsAreBounded() {
        let fits = String(repeating: "x", count: 256)
        #expect(parse("1;\(fits)\r\na\r\n0\r\n\r\n").messages.first?.isComplete == true)
        let over = String(repeating: "x", count: 300)
        #expect(parse("1;\(over)\r\na\r\n0\r\n\r\n").error == .malformedChunk)
    }

    @Test func trailersAreBoundedHoweverTheyArrive() {
        let sixteen = (0..<16).map { "T\($0): v\r\n" }.joined()
        #expect(parse("0\r\n\(sixteen)\r\n").error == nil)
        #expect(parse("1\r\na\r\n0\r\n\(sixteen)\r\n").error == nil)
        #expect(parse("0\r\n\(sixteen)T: v\r\n\r\n").error == .trailersTooLarge)
        let long = String(repeating: "v", count: 5_000)
        #expect(parse("0\r\nT: \(long)\r\n\r\n").error == .trailersTooLarge)
        #expect(parse("0\r\nT: \(long)").error == .trailersTooLarge)
    }

    @Test func chunkSizesAreWrittenInHexadecimal() {
        for (count, text) in [
            (0, "0"), (1, "1"), (9, "9"), (10, "a"), (15, "f"), (16, "10"), (255, "ff"),
            (256, "100"), (0x12345, "12345"), (Int.max, "7fffffffffffffff"),
        ] {
            var bytes: [UInt8] = []
            HTTP1Writer.appendChunkSize(to: &bytes, count)
            #expect(String(decoding: bytes, as: UTF8.self) == text + "\r\n")
        }
    }
}
