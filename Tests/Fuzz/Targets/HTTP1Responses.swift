import InferenceTypes
import WireProtocols

private typealias Reading = HTTP1Reading<HTTP1ResponseHead>

extension FuzzTarget {
    /// Input: cut, limits and whether the requests were HEAD, then responses one behind the other.
    static let http1Responses = FuzzTarget("http1-response", longestInput: 512) { input in
        guard let (head, bytes) = input.cut(2) else { return }
        let limits = Limits.forHTTP1(head[1])
        let isHead = head[1] & 128 != 0
        let (whole, closing) = try read(bytes, nil, limits, isHead)
        let (other, otherClosing) = try read(bytes, head[0], limits, isHead)
        try whole.requireSame(as: other)
        try require(
            whole.error != nil || closing == otherClosing,
            "the end of the connection: \(closing), in pieces \(otherClosing)")
        for message in whole.messages {
            try check(message, limits)
            try checkBody(of: message, in: bytes, whole, isHead)
            try checkNextHop(message, isHead)
        }
    }
}

private func read(
    _ bytes: UnsafeRawBufferPointer, _ choice: UInt8?, _ limits: Limits, _ isHead: Bool
) throws -> (Reading, HTTP1ResponseParser.Closing) {
    var parser = HTTP1ResponseParser(limits: limits)
    parser.reset(requestMethodIsHead: isHead)
    let reading = try Reading(bytes, cut: choice) { input, head throws(HTTP1Error) in
        switch try parser.next(input, into: &head) {
        case .needMore: return .needMore
        case .head(let consumed, let head): return .head(consumed: consumed, head)
        case .body(let range, let consumed): return .body(range, consumed: consumed)
        case .end(let consumed):
            // As a connection does before its next request.
            parser.reset(requestMethodIsHead: isHead)
            return .end(consumed: consumed)
        }
    }
    let closing = parser.inputClosed()
    guard reading.error == nil else { return (reading, closing) }
    let most = limits.heldBytes(ofHead: limits.upstreamHeaderBytes)
    try require(reading.mostHeld <= most, "holds \(reading.mostHeld) bytes")
    let isWithin = reading.messages.last.map { $0.end == nil } ?? false
    let isUnread = reading.start < bytes.count
    if !isWithin, !isUnread, !reading.messages.isEmpty, closing == .endOfCloseDelimitedBody {
        throw Finding(description: "nothing was under way: \(closing)")
    }
    if isWithin || isUnread { try require(closing != .clean, "cut, and clean") }
    return (reading, closing)
}

private func check(_ message: Reading.Message, _ limits: Limits) throws {
    try require(
        message.listSize <= limits.upstreamHeaderBytes, "a head of \(message.listSize) bytes")
    let head = message.head
    try require((200..<600).contains(head.status), "status \(head.status)")
    let first = message.fields.first
    try require(
        first?.isNamed(":status") == true && first?.value == Array("\(head.status)".utf8),
        "the status in front")
    for field in message.fields.dropFirst() {
        try field.requireSound()
        try require(!field.isPseudo && !field.isOfOneHop, "a field \(shown(field.name))")
    }
    try require(!head.isChunked || head.contentLength == nil, "length and chunks")
    try require(!head.isCloseDelimited || !head.keepAlive, "kept alive without a length")
    let isBodiless = head.status == 204 || head.status == 304
    try require(!isBodiless || !head.hasBody, "a body with \(head.status)")
}

private func checkBody(
    of message: Reading.Message, in bytes: UnsafeRawBufferPointer, _ reading: Reading,
    _ isHead: Bool
) throws {
    let head = message.head
    if head.isCloseDelimited {
        try require(message.end == nil, "an end without a length")
        return try require(
            message.body.elementsEqual(bytes[message.bodyStart...]), "another body than what came")
    }
    guard let end = message.end else { return }
    let framed = UnsafeRawBufferPointer(rebasing: bytes[message.bodyStart..<end])
    let isChunked = head.isChunked && head.hasBody
    let body = isChunked ? HTTP1ChunkReference.decoded(framed) : Array(framed)
    try require(body == message.body, "the body of \(shown(framed)): \(shown(message.body))")
    guard !isChunked else { return }
    let length = head.hasBody ? head.contentLength ?? 0 : 0
    try require(framed.count == length, "a body of \(framed.count) bytes, not \(length)")
}

/// What our own writer makes of a head must be read as that head.
private func checkNextHop(_ message: Reading.Message, _ isHead: Bool) throws {
    let head = message.head
    var fields = FieldBlock()
    var kept: [Reading.Field] = []
    for field in message.fields where !field.isPseudo && !field.isNamed("content-length") {
        kept.append(field)
        field.name.withUnsafeBytes { name in
            field.value.withUnsafeBytes { fields.append(name: name, value: $0) }
        }
    }
    let framing: HTTP1Framing =
        head.isChunked ? .chunked : head.contentLength.map { .length($0) } ?? .close
    var text: [UInt8] = []
    HTTP1Writer.appendResponseHead(
        to: &text, status: head.status, fields: fields, framing: framing,
        keepAlive: head.keepAlive)
    let (reading, _) = try text.withUnsafeBytes { text in
        try read(text, nil, Limits(), isHead)
    }
    let again = reading.messages.first
    try require(again?.head == head, "written and read again: \(shown(text))")
    let fieldsAgain = again?.fields.filter { !$0.isPseudo && !$0.isNamed("content-length") }
    try require(fieldsAgain == kept, "other fields, written and read again: \(shown(text))")
}
