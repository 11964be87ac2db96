import InferenceTypes

/// Finds the end of a message head over any number of feeds, looking at each byte once.
struct HTTP1HeadFinder: Sendable {
    private var scanned = 0
    private var lineStart = 0

    /// The length of the head with its empty line, or `nil` if more bytes are needed. `input`
    /// begins at the head's first byte each time.
    mutating func find(
        in input: UnsafeRawBufferPointer, limit: Int
    ) throws(HTTP1Error) -> Int? {
        while scanned < input.count {
            let lineFeed = HTTP1Text.lineFeed(in: input, from: scanned)
            scanned = min(lineFeed + 1, input.count)
            guard lineFeed < input.count else { break }
            guard lineFeed > lineStart, input[lineFeed - 1] == UInt8(ascii: "\r") else {
                throw .bareLineFeed
            }
            // The empty line counts too: whether it came along or later must not matter.
            if scanned > limit { throw .headTooLarge }
            if lineFeed - lineStart == 1 {
                let length = scanned
                self = HTTP1HeadFinder()
                return length
            }
            lineStart = scanned
        }
        if scanned > limit { throw .headTooLarge }
        return nil
    }
}

/// One line of a head or of trailers, without its CRLF.
struct HTTP1FieldLine {
    let name: UnsafeRawBufferPointer
    /// Without spaces and tabs at both ends.
    let value: UnsafeRawBufferPointer
    let hasCapitals: Bool

    @inline(__always)
    init(_ line: UnsafeRawBufferPointer) throws(HTTP1Error) {
        guard let first = line.first else { throw .malformedField }
        if first == 0x20 || first == 0x09 { throw .foldedField }
        var hasCapitals = false
        let colon = HTTP1Text.endOfName(line, hasCapitals: &hasCapitals)
        guard colon > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else {
            throw .malformedField
        }
        name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        self.hasCapitals = hasCapitals
        value = HTTP1Text.trimmed(UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]))
        guard HTTP1Text.mayHaveControls(value) else { return }
        for byte in value {
            if byte == UInt8(ascii: "\r") { throw .bareCarriageReturn }
            if (byte < 0x20 && byte != 0x09) || byte == 0x7F { throw .malformedField }
        }
    }
}

/// What the framing fields of a head say.
struct HTTP1FramingFields: Sendable {
    var contentLength: Int?
    var isChunked = false
    var closes = false
    var keepsAlive = false
    var expectsContinue = false
    var hosts = 0
}

/// Reads the field lines of a head into a block, in HTTP/2's form.
struct HTTP1FieldReader {
    private let mostFields: Int
    private let mostBytes: Int
    /// Requests: `Host` becomes `:authority`, and several are refused.
    let isRequest: Bool
    var framing = HTTP1FramingFields()

    init(limits: Limits, isRequest: Bool) {
        // The whole of the limits is a long copy.
        self.init(
            mostFields: limits.headerFields,
            mostBytes: isRequest ? limits.headerListBytes : limits.upstreamHeaderBytes,
            isRequest: isRequest)
    }

    init(mostFields: Int, mostBytes: Int, isRequest: Bool) {
        self.mostFields = mostFields
        self.mostBytes = mostBytes
        self.isRequest = isRequest
    }

    /// `lines` is everything between the start line and the empty line, each line with its CRLF.
    mutating func read(
        _ lines: UnsafeRawBufferPointer, into head: inout FieldBlock, hasAuthority: Bool
    ) throws(HTTP1Error) {
        var start = 0
        var count = 0
        while start < lines.count {
            let end = HTTP1Text.lineFeed(in: lines, from: start)
            count += 1
            if count > mostFields { throw .tooManyFields }
            let line = UnsafeRawBufferPointer(rebasing: lines[start..<max(start, end - 1)])
            try readLine(line, into: &head, hasAuthority: hasAuthority)
            start = end + 1
        }
        if head.listSize > mostBytes { throw .headTooLarge }
        if framing.isChunked, framing.contentLength != nil { throw .lengthAndChunked }
    }

    private mutating func readLine(
        _ line: UnsafeRawBufferPointer, into head: inout FieldBlock, hasAuthority: Bool
    ) throws(HTTP1Error) {
        let parts = try HTTP1FieldLine(line)
        let name = parts.name
        let value = parts.value
        if try readFraming(name, value) { return }
        if isRequest, HTTP1Text.isName(name, "host") {
            framing.hosts += 1
            guard framing.hosts == 1, HTTP1Text.isHost(value) else { throw .invalidHost }
            if !hasAuthority { head.append(name: ":authority", value: value) }
            return
        }
        if parts.hasCapitals {
            head.append(lowercasing: name, value: value)
        } else {
            head.append(name: name, value: value)
        }
    }

    /// True if the field is one hop's business and goes no further.
    private mutating func readFraming(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(HTTP1Error) -> Bool {
        switch name.count {
        case 2: return HTTP1Text.isName(name, "te")
        case 6: return isRequest && HTTP1Text.isName(name, "expect") && readExpect(value)
        case 7: return HTTP1Text.isName(name, "trailer") || HTTP1Text.isName(name, "upgrade")
        case 10:
            if HTTP1Text.isName(name, "keep-alive") { return true }
            guard HTTP1Text.isName(name, "connection") else { return false }
            if HTTP1Text.hasToken(value, "close") { framing.closes = true }
            if HTTP1Text.hasToken(value, "keep-alive") { framing.keepsAlive = true }
            return true
        case 14:
            if HTTP1Text.isName(name, "http2-settings") { return true }
            guard HTTP1Text.isName(name, "content-length") else { return false }
            guard framing.contentLength == nil, let length = HTTP1Text.decimal(value) else {
                throw .invalidContentLength
            }
            framing.contentLength = length
            return false
        case 16: return HTTP1Text.isName(name, "proxy-connection")
        case 17:
            guard HTTP1Text.isName(name, "transfer-encoding") else { return false }
            guard !framing.isChunked, HTTP1Text.equals(value, "chunked") else {
                throw .unsupportedTransferEncoding
            }
            framing.isChunked = true
            return true
        default: return false
        }
    }

    private mutating func readExpect(_ value: UnsafeRawBufferPointer) -> Bool {
        framing.expectsContinue = HTTP1Text.equals(value, "100-continue")
        return true
    }
}
