import InferenceTypes

/// What a request head says of its message.
public struct HTTP1RequestHead: Equatable, Sendable {
    public var keepAlive: Bool
    public var contentLength: Int?
    public var isChunked: Bool
    public var expectsContinue: Bool
    /// 0 for HTTP/1.0.
    public var minorVersion: Int

    public var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }
}

/// HTTP/1.1 requests from a client, strictly (RFC 9112). The caller keeps unread bytes together
/// and hands them in from the first unread one; each step says how many it used.
public struct HTTP1RequestParser: Sendable {
    public enum Step {
        case needMore
        /// The head is in the block that was passed.
        case head(consumed: Int, HTTP1RequestHead)
        /// Payload at this range of the input; may be empty when only framing was used.
        case body(Range<Int>, consumed: Int)
        /// The request is complete; the next one may follow.
        case end(consumed: Int)
    }

    private let limits: Limits
    private var finder = HTTP1HeadFinder()
    private var body: HTTP1Body?
    /// Bytes of line ends before the request line: some old clients send one too many.
    private var lead = 0

    public init(limits: Limits) { self.limits = limits }

    public mutating func next(
        _ input: UnsafeRawBufferPointer, into head: inout FieldBlock
    ) throws(HTTP1Error) -> Step {
        guard var body else { return try readHead(input, into: &head) }
        let step = try body.next(input)
        switch step {
        case .needMore:
            return .needMore
        case .body(let range, let consumed):
            self.body = body
            return .body(range, consumed: consumed)
        case .end(let consumed):
            self.body = nil
            return .end(consumed: consumed)
        }
    }

    private mutating func readHead(
        _ input: UnsafeRawBufferPointer, into head: inout FieldBlock
    ) throws(HTTP1Error) -> Step {
        while lead < 4, input.count >= lead + 2, input[lead] == UInt8(ascii: "\r"),
            input[lead + 1] == UInt8(ascii: "\n")
        { lead += 2 }
        // A lone CR is no beginning: waiting for more would hold whatever follows it.
        if lead < 4, input.count >= lead + 2, input[lead] == UInt8(ascii: "\r") {
            throw .bareCarriageReturn
        }
        guard input.count > lead, input[lead] != UInt8(ascii: "\r") || lead == 4 else {
            return .needMore
        }
        let message = UnsafeRawBufferPointer(rebasing: input[lead...])
        // Room for the request line beside the fields.
        let limit = limits.headerListBytes + limits.uriBytes
        guard let length = try finder.find(in: message, limit: limit) else { return .needMore }
        let consumed = lead + length
        lead = 0
        head.removeAll()
        let result = try parse(
            UnsafeRawBufferPointer(rebasing: message[..<length]), into: &head)
        body =
            result.isChunked
            ? .chunked(HTTP1Body.Bounds(limits)) : HTTP1Body(length: result.contentLength ?? 0)
        return .head(consumed: consumed, result)
    }

    private func parse(
        _ message: UnsafeRawBufferPointer, into head: inout FieldBlock
    ) throws(HTTP1Error) -> HTTP1RequestHead {
        var lineEnd = 0
        while message[lineEnd] != UInt8(ascii: "\n") { lineEnd += 1 }
        let line = UnsafeRawBufferPointer(rebasing: message[..<(lineEnd - 1)])
        let (minor, hasAuthority) = try parseStartLine(line, into: &head)
        // The fields lie between the start line and the empty line.
        let fieldLines = UnsafeRawBufferPointer(
            rebasing: message[(lineEnd + 1)..<(message.count - 2)])
        var reader = HTTP1FieldReader(limits: limits, isRequest: true)
        try reader.read(fieldLines, into: &head, hasAuthority: hasAuthority)
        let framing = reader.framing
        if framing.hosts == 0, minor == 1 { throw .invalidHost }
        // Chunks are HTTP/1.1's: in an older message they are somebody's trick.
        if framing.isChunked, minor == 0 { throw .unsupportedTransferEncoding }
        return HTTP1RequestHead(
            keepAlive: !framing.closes && (minor == 1 || framing.keepsAlive),
            contentLength: framing.contentLength, isChunked: framing.isChunked,
            expectsContinue: framing.expectsContinue && minor == 1, minorVersion: minor)
    }

    /// `METHOD SP target SP HTTP/1.x`. Returns the minor version and whether the target named the
    /// host (absolute form).
    private func parseStartLine(
        _ line: UnsafeRawBufferPointer, into head: inout FieldBlock
    ) throws(HTTP1Error) -> (Int, Bool) {
        var methodEnd = 0
        while methodEnd < line.count, HTTP1Text.isToken(line[methodEnd]) { methodEnd += 1 }
        guard methodEnd > 0, methodEnd <= 32, methodEnd < line.count, line[methodEnd] == 0x20
        else { throw .malformedStartLine }
        var targetEnd = methodEnd + 1
        while targetEnd < line.count, line[targetEnd] > 0x20, line[targetEnd] != 0x7F {
            targetEnd += 1
        }
        let target = UnsafeRawBufferPointer(rebasing: line[(methodEnd + 1)..<targetEnd])
        guard !target.isEmpty, targetEnd < line.count, line[targetEnd] == 0x20 else {
            throw .malformedStartLine
        }
        if target.count > limits.uriBytes { throw .targetTooLong }
        let version = UnsafeRawBufferPointer(rebasing: line[(targetEnd + 1)...])
        let minor = try parseVersion(version)
        let method = UnsafeRawBufferPointer(rebasing: line[..<methodEnd])
        head.append(name: ":method", value: method)
        return (minor, try appendTarget(target, of: method, to: &head))
    }

    private func parseVersion(_ version: UnsafeRawBufferPointer) throws(HTTP1Error) -> Int {
        guard version.count == 8, version[..<5].elementsEqual("HTTP/".utf8),
            version[6] == UInt8(ascii: ".")
        else { throw .malformedStartLine }
        guard version[5] == UInt8(ascii: "1"),
            version[7] == UInt8(ascii: "1") || version[7] == UInt8(ascii: "0")
        else { throw .unsupportedVersion }
        return Int(version[7] - UInt8(ascii: "0"))
    }

    /// The four forms of a target (RFC 9112 3.2); each belongs to certain methods.
    private func appendTarget(
        _ target: UnsafeRawBufferPointer, of method: UnsafeRawBufferPointer,
        to head: inout FieldBlock
    ) throws(HTTP1Error) -> Bool {
        if method.elementsEqual("CONNECT".utf8) {
            guard HTTP1Text.isHost(target) else { throw .invalidHost }
            head.append(name: ":authority", value: target)
            return true
        }
        if target[0] == UInt8(ascii: "/") {
            head.append(name: ":path", value: target)
            return false
        }
        if target.elementsEqual("*".utf8), method.elementsEqual("OPTIONS".utf8) {
            head.append(name: ":path", value: target)
            return false
        }
        return try appendURL(target, to: &head)
    }

    private func appendURL(
        _ target: UnsafeRawBufferPointer, to head: inout FieldBlock
    ) throws(HTTP1Error) -> Bool {
        // Whatever stands before this hop may have taken TLS off: either scheme is as good.
        let schemes: (StaticString, StaticString) = ("http://", "https://")
        let length: Int
        if Self.begins(target, with: schemes.0) {
            length = schemes.0.utf8CodeUnitCount
        } else if Self.begins(target, with: schemes.1) {
            length = schemes.1.utf8CodeUnitCount
        } else {
            throw .malformedStartLine
        }
        var end = length
        while end < target.count, target[end] != UInt8(ascii: "/") { end += 1 }
        let authority = UnsafeRawBufferPointer(rebasing: target[length..<end])
        guard HTTP1Text.isHost(authority) else { throw .invalidHost }
        head.append(name: ":authority", value: authority)
        if end < target.count {
            head.append(name: ":path", value: UnsafeRawBufferPointer(rebasing: target[end...]))
        } else {
            head.append(name: ":path", value: "/")
        }
        return true
    }

    private static func begins(
        _ target: UnsafeRawBufferPointer, with scheme: StaticString
    ) -> Bool {
        let start = UnsafeRawBufferPointer(rebasing: target.prefix(scheme.utf8CodeUnitCount))
        return HTTP1Text.equals(start, scheme)
    }
}
