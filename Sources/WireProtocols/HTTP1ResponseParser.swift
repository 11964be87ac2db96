import InferenceTypes

/// What a response head says of its message.
public struct HTTP1ResponseHead: Equatable, Sendable {
    public var status: Int
    public var keepAlive: Bool
    public var contentLength: Int?
    public var isChunked: Bool
    /// No length: the end of the connection ends the body.
    public var isCloseDelimited: Bool
    public var hasBody: Bool
}

/// HTTP/1.1 responses from a model server, which is trusted no more than a client is. The caller
/// keeps unread bytes together, as for ``HTTP1RequestParser``.
public struct HTTP1ResponseParser: Sendable {
    public enum Step {
        case needMore
        /// The head is in the block that was passed.
        case head(consumed: Int, HTTP1ResponseHead)
        /// Payload at this range of the input; empty when only framing or an interim response
        /// was used, the latter before `head`.
        case body(Range<Int>, consumed: Int)
        case end(consumed: Int)
    }

    /// What the end of the connection means.
    public enum Closing: Equatable, Sendable {
        /// Nothing was under way.
        case clean
        /// It ends the body, as announced. Whether the body was whole nobody can say.
        case endOfCloseDelimitedBody
        /// A head or a body was under way.
        case truncated
    }

    // Of the limits what is asked for: a look at one of them would copy all.
    private let mostFields: Int
    private let mostBytes: Int
    private let bounds: HTTP1Body.Bounds
    private var finder = HTTP1HeadFinder()
    private var body: HTTP1Body?
    private var informational = 0
    private var hasStarted = false
    private var requestIsHead = false

    public init(limits: Limits) {
        mostFields = limits.headerFields
        mostBytes = limits.upstreamHeaderBytes
        bounds = HTTP1Body.Bounds(limits)
    }

    /// Ready for the response to the next request.
    public mutating func reset(requestMethodIsHead: Bool) {
        finder = HTTP1HeadFinder()
        body = nil
        informational = 0
        hasStarted = false
        requestIsHead = requestMethodIsHead
    }

    public mutating func next(
        _ input: UnsafeRawBufferPointer, into head: inout FieldBlock
    ) throws(HTTP1Error) -> Step {
        if !input.isEmpty { hasStarted = true }
        guard var body else { return try readHead(input, into: &head) }
        switch try body.next(input) {
        case .needMore:
            return .needMore
        case .body(let range, let consumed):
            self.body = body
            return .body(range, consumed: consumed)
        case .end(let consumed):
            self.body = nil
            hasStarted = false
            return .end(consumed: consumed)
        }
    }

    /// Takes the framing off the chunks that `bytes` begin with, and moves their payload together:
    /// `payload` says where in `bytes` it lies then. What this does not use up is for `next`.
    public mutating func unframe(
        _ bytes: UnsafeMutableRawBufferPointer
    ) -> (payload: Range<Int>, consumed: Int) {
        body?.unframe(bytes) ?? (0..<0, 0)
    }

    public mutating func inputClosed() -> Closing {
        if let body { return body.isCloseDelimited ? .endOfCloseDelimitedBody : .truncated }
        return hasStarted ? .truncated : .clean
    }

    private mutating func readHead(
        _ input: UnsafeRawBufferPointer, into head: inout FieldBlock
    ) throws(HTTP1Error) -> Step {
        var start = 0
        // Interim responses (100, 103) are passed over, a bounded number of them.
        while true {
            let message = UnsafeRawBufferPointer(rebasing: input[start...])
            guard
                let length = try finder.find(in: message, limit: mostBytes)
            else {
                // The finder counts from the first unread byte of the next head.
                return start == 0 ? .needMore : .body(start..<start, consumed: start)
            }
            head.removeAll()
            let result = try parse(
                UnsafeRawBufferPointer(rebasing: message[..<length]), into: &head)
            start += length
            if result.status >= 200 {
                body = framing(of: result)
                return .head(consumed: start, result)
            }
            informational += 1
            // Nothing here asks for another protocol.
            if informational > 8 || result.status == 101 { throw .tooManyInformational }
        }
    }

    private func framing(of head: HTTP1ResponseHead) -> HTTP1Body {
        if !head.hasBody { return .none }
        if head.isChunked { return .chunked(bounds) }
        if let length = head.contentLength { return HTTP1Body(length: length) }
        return .closeDelimited()
    }

    private func parse(
        _ message: UnsafeRawBufferPointer, into head: inout FieldBlock
    ) throws(HTTP1Error) -> HTTP1ResponseHead {
        let lineEnd = HTTP1Text.lineFeed(in: message, from: 0)
        let line = UnsafeRawBufferPointer(rebasing: message[..<(lineEnd - 1)])
        let (minor, status) = try parseStatusLine(line)
        head.append(name: ":status", value: UnsafeRawBufferPointer(rebasing: line[9..<12]))
        var reader = HTTP1FieldReader(
            mostFields: mostFields, mostBytes: mostBytes, isRequest: false)
        let fieldLines = UnsafeRawBufferPointer(
            rebasing: message[(lineEnd + 1)..<(message.count - 2)])
        try reader.read(fieldLines, into: &head, hasAuthority: true)
        let framing = reader.framing
        let hasBody = status >= 200 && status != 204 && status != 304 && !requestIsHead
        let isCloseDelimited = hasBody && !framing.isChunked && framing.contentLength == nil
        return HTTP1ResponseHead(
            status: status,
            keepAlive: !framing.closes && !isCloseDelimited && (minor == 1 || framing.keepsAlive),
            contentLength: framing.contentLength, isChunked: framing.isChunked,
            isCloseDelimited: isCloseDelimited, hasBody: hasBody)
    }

    /// `HTTP/1.x SP 3DIGIT [SP reason]`.
    private func parseStatusLine(
        _ line: UnsafeRawBufferPointer
    ) throws(HTTP1Error) -> (minor: Int, status: Int) {
        guard line.count >= 12,
            HTTP1Text.begins(line, with: "HTTP/1."),
            line[7] == UInt8(ascii: "1") || line[7] == UInt8(ascii: "0"), line[8] == 0x20,
            line.count == 12 || line[12] == 0x20
        else { throw .malformedStartLine }
        guard let status = HTTP1Text.decimal(UnsafeRawBufferPointer(rebasing: line[9..<12])),
            (100..<600).contains(status)
        else { throw .malformedStartLine }
        if HTTP1Text.mayHaveControls(line) {
            for byte in line where byte < 0x20 && byte != 0x09 { throw .malformedStartLine }
        }
        return (Int(line[7] - UInt8(ascii: "0")), status)
    }
}
