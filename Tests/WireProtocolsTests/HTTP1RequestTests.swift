import InferenceTypes
import Testing

@testable import WireProtocols

@Suite struct HTTP1RequestTests {
    /// Parses the text whole, byte by byte and in threes; all must agree.
    private func parse(_ text: String, limits: Limits = Limits()) -> HTTP1Outcome {
        let bytes = Array(text.utf8)
        let whole = HTTP1Feeding.requests(bytes, step: max(1, bytes.count), limits: limits)
        for step in [1, 2, 3, 7] {
            let pieces = HTTP1Feeding.requests(bytes, step: step, limits: limits)
            #expect(pieces == whole, "fed by \(step): \(text.prefix(60).debugDescription)")
        }
        return whole
    }

    private func request(_ lines: String...) -> String {
        (["GET / HTTP/1.1", "Host: a"] + lines).joined(separator: "\r\n") + "\r\n\r\n"
    }

    // MARK: What is taken

    @Test func aHeadIsStoredInHTTP2sForm() {
        let outcome = parse("POST /v1/x?y HTTP/1.1\r\nHost: h:1\r\nX-Name:  a b \t\r\nE:\r\n\r\n")
        #expect(outcome.error == nil)
        #expect(
            outcome.messages == [
                HTTP1Message(
                    fields: [":method=POST", ":path=/v1/x?y", ":authority=h:1", "x-name=a b", "e="],
                    keepAlive: true, isComplete: true)
            ])
    }

    @Test func hopByHopFieldsGoNoFurther() {
        let outcome = parse(
            request(
                "TE: trailers", "Expect: 100-continue", "Upgrade: h2c", "Trailer: x",
                "Keep-Alive: 1", "Connection: upgrade, HTTP2-Settings", "HTTP2-Settings: AA",
                "Proxy-Connection: close", "Content-Type: a"))
        #expect(
            outcome.messages.first?.fields == [
                ":method=GET", ":path=/", ":authority=a", "content-type=a",
            ])
    }

    @Test(arguments: [
        ("GET http://b/p HTTP/1.1", ":authority=b", ":path=/p"),
        ("GET HTTP://b:8 HTTP/1.1", ":authority=b:8", ":path=/"),
        ("GET http://[::1]/ HTTP/1.1", ":authority=[::1]", ":path=/"),
        ("GET https://b/p?q HTTP/1.1", ":authority=b", ":path=/p?q"),
    ])
    func theAbsoluteFormNamesTheHost(line: String, authority: String, path: String) {
        let outcome = parse("\(line)\r\nHost: a\r\n\r\n")
        #expect(outcome.messages.first?.fields == [":method=GET", authority, path])
    }

    @Test func aTunnelHasNoPath() {
        let outcome = parse("CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(outcome.messages.first?.fields == [":method=CONNECT", ":authority=b:443"])
    }

    @Test func theServerAsAWholeIsAPathForItsOptions() {
        let outcome = parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(outcome.messages.first?.fields == [":method=OPTIONS", ":path=*", ":authority=a"])
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false),
    ])
    func keepAlive(text: String, expected: Bool) {
        #expect(parse(text).messages.first?.keepAlive == expected)
    }

    @Test func pipelinedRequestsComeOutOneByOne() {
        let outcome = parse(
            "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                + "\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
                + "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                + "3\r\ndef\r\n0\r\n\r\n" + "GET /4 HTTP/1.1\r\nHos")
        #expect(outcome.error == nil)
        #expect(outcome.messages.map(\.text) == ["abc", "", "def"])
        #expect(outcome.messages.map(\.isComplete) == [true, true, true])
        #expect(outcome.unread == "GET /4 HTTP/1.1\r\nHos".utf8.count)
    }

    @Test func twoLineEndsBeforeARequestAreForgiven() {
        #expect(parse("\r\n\r\n" + request()).messages.count == 1)
        #expect(parse("\r\n\r\n\r\n" + request()).error == .malformedStartLine)
    }

    // MARK: What is refused

    static let refusals: [(String, HTTP1Error)] = [
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
        ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", .bareCarriageReturn),
        ("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareCarriageReturn),
        ("\r\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareCarriageReturn),
        ("GET / HTTP/1.1\rX\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET /\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET / a HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET /\u{1} HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET p HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET b:443 HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET http:/b/ HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET http HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET https:// HTTP/1.1\r\nHost: a\r\n\r\n", .invalidHost),
        ("GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", .invalidHost),
        ("CONNECT /p HTTP/1.1\r\nHost: a\r\n\r\n", .invalidHost),
        ("CONNECT u@b:1 HTTP/1.1\r\nHost: a\r\n\r\n", .invalidHost),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET / HTtp/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET / HTTP/11\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("\(String(repeating: "M", count: 33)) / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", .unsupportedVersion),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", .unsupportedVersion),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
        ("GET / HTTP/1.1\r\n\r\n", .invalidHost),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .invalidHost),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", .invalidHost),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .invalidHost),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .invalidHost),
        ("GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", .invalidHost),
        ("GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", .invalidHost),
        ("GET / HTTP/1.1\r\nHost: u@b\r\n\r\n", .invalidHost),
        ("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .invalidHost),
        ("GET http:///p HTTP/1.1\r\nHost: a\r\n\r\n", .invalidHost),
        ("GET http://u@b/p HTTP/1.1\r\nHost: a\r\n\r\n", .invalidHost),
        ("GET http://b?/p HTTP/1.1\r\nHost: a\r\n\r\n", .invalidHost),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\n: a\r\nHost: a\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{7f}\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\u{e9}: a\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", .foldedField),
        ("GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", .foldedField),
        ("P / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", .invalidContentLength),
        ("P / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", .invalidContentLength),
        ("P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", .invalidContentLength),
        ("P / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", .invalidContentLength),
        ("P / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", .invalidContentLength),
        ("P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n", .invalidContentLength),
        (
            "P / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n",
            .invalidContentLength
        ),
        (
            "P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            .invalidContentLength
        ),
        (
            "P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            .lengthAndChunked
        ),
        (
            "P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            .lengthAndChunked
        ),
        (
            "P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            .unsupportedTransferEncoding
        ),
        (
            "P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n", .unsupportedTransferEncoding
        ),
        (
            "P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
            .unsupportedTransferEncoding
        ),
        ("P / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .unsupportedTransferEncoding),
    ]

    @Test(arguments: refusals)
    func ambiguousHeadsAreRefused(text: String, error: HTTP1Error) {
        let outcome = parse(text)
        #expect(outcome.error == error)
        #expect(outcome.messages.isEmpty)
    }

    @Test func limitsAreExact() {
        var limits = Limits()
        limits.uriBytes = 16
        limits.headerFields = 5
        limits.headerListBytes = 400
        let path = String(repeating: "p", count: 15)
        #expect(parse("GET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits).error == nil)
        #expect(
            parse("GET /\(path)p HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits).error
                == .targetTooLong)
        #expect(parse(request("A: 1", "B: 2", "C: 3", "D: 4"), limits: limits).error == nil)
        #expect(
            parse(request("A: 1", "B: 2", "C: 3", "D: 4", "E: 5"), limits: limits).error
                == .tooManyFields)
        let value = String(repeating: "v", count: 300)
        #expect(parse(request("A: \(value)"), limits: limits).error == .headTooLarge)
        let endless = request("A: " + String(repeating: "v", count: 500))
        #expect(parse(endless, limits: limits).error == .headTooLarge)
    }

    @Test("the empty line counts towards a head, whether it comes along or later")
    func emptyLinesCount() {
        var limits = Limits()
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        limits.uriBytes = 10
        limits.headerListBytes = bytes.count - 1 - limits.uriBytes
        for step in [1, bytes.count] {
            let outcome = HTTP1Feeding.requests(bytes, step: step, limits: limits)
            #expect(outcome.error == .headTooLarge, "by \(step)")
        }
    }

    @Test func aHeadWithoutEndIsRefusedInLinearTime() {
        let line = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let bytes = Array((line + String(repeating: "v", count: 100_000)).utf8)
        let clock = ContinuousClock()
        var outcome = HTTP1Outcome()
        let time = clock.measure { outcome = HTTP1Feeding.requests(bytes, step: 1) }
        #expect(outcome.error == .headTooLarge)
        // Looking at every byte again for each new one would take minutes.
        #expect(time < .seconds(2))
    }

    @Test func everyErrorHasItsStatus() {
        #expect(HTTP1Error.targetTooLong.status == 414)
        #expect(HTTP1Error.headTooLarge.status == 431)
        #expect(HTTP1Error.tooManyFields.status == 431)
        #expect(HTTP1Error.trailersTooLarge.status == 431)
        #expect(HTTP1Error.unsupportedTransferEncoding.status == 501)
        #expect(HTTP1Error.unsupportedVersion.status == 505)
        #expect(HTTP1Error.bareLineFeed.status == 400)
    }
}
