/// Why a stream failed, and the event that tells the client.
enum StreamFailure {
    case cut, incomplete, timeout, tooLargeEvent, shutdown

    /// Longest text of the upstream's own that is shown, bytes.
    static let greatestMessage = 500

    private var code: StaticString {
        switch self {
        case .cut: "stream_cut"
        case .incomplete: "stream_incomplete"
        case .timeout: "stream_timeout"
        case .tooLargeEvent: "stream_too_large_event"
        case .shutdown: "server_shutdown"
        }
    }

    private var message: StaticString {
        switch self {
        case .cut: "The model server's connection broke before the answer was complete."
        case .incomplete: "The model server ended the stream before the answer was complete."
        case .timeout: "The model server sent nothing more in time."
        case .tooLargeEvent: "The model server sent an event that is too large."
        case .shutdown: "The gateway is shutting down; the answer is not complete."
        }
    }

    /// Appends the error event. If `residue`, the bytes that were not passed on, is an error of
    /// the upstream's, the client gets to read its message.
    func appendEvent(residue: UnsafeRawBufferPointer?, to bytes: inout [UInt8]) {
        SSEWriter.append("data: {\"error\":{\"message\":\"", to: &bytes)
        if residue.map({ Self.appendMessage(of: $0, to: &bytes) }) != true {
            SSEWriter.append(message, to: &bytes)
        }
        SSEWriter.append("\",\"type\":\"upstream_error\",\"param\":null,\"code\":\"", to: &bytes)
        SSEWriter.append(code, to: &bytes)
        SSEWriter.append("\"}}\n\n", to: &bytes)
    }

    /// True if there was a message to append.
    private static func appendMessage(
        of residue: UnsafeRawBufferPointer, to bytes: inout [UInt8]
    ) -> Bool {
        let fields = SSEFields(of: residue)
        if fields.dataLines > 1 {
            return SSEFields.joinedData(of: residue).withUnsafeBytes {
                appendMessage(ofPayload: $0, to: &bytes)
            }
        }
        let payload = fields.data ?? 0..<residue.count
        return appendMessage(
            ofPayload: UnsafeRawBufferPointer(rebasing: residue[payload]), to: &bytes)
    }

    private static func appendMessage(
        ofPayload payload: UnsafeRawBufferPointer, to bytes: inout [UInt8]
    ) -> Bool {
        let scanner = JSONScanner(payload)
        guard let root = try? scanner.validate(depth: JSONScanner.greatestDepth),
            scanner.kind(at: root.lowerBound) == .object,
            var message = scanner.member("error", of: root)
        else { return false }
        if scanner.kind(at: message.lowerBound) == .object {
            guard let member = scanner.member("message", of: message) else { return false }
            message = member
        }
        // Two bytes are the quotes of an empty one.
        guard scanner.kind(at: message.lowerBound) == .string, message.count > 2 else {
            return false
        }
        let inner = message.lowerBound + 1..<message.upperBound - 1
        // It was checked as JSON: its escapes are already what our own text needs.
        bytes.append(
            contentsOf: payload[inner.lowerBound..<endOfExcerpt(of: inner, in: payload)])
        return true
    }

    /// Where the text has to end so that neither an escape nor a character is cut in two.
    private static func endOfExcerpt(
        of text: Range<Int>, in bytes: UnsafeRawBufferPointer
    ) -> Int {
        let limit = min(text.upperBound, text.lowerBound + greatestMessage)
        var offset = text.lowerBound
        while offset < limit {
            let end = offset + unitLength(at: offset, of: text, in: bytes)
            if end > limit { break }
            offset = end
        }
        return offset
    }

    private static func unitLength(
        at offset: Int, of text: Range<Int>, in bytes: UnsafeRawBufferPointer
    ) -> Int {
        switch bytes[offset] {
        case UInt8(ascii: "\\"):
            guard offset + 3 < text.upperBound, bytes[offset + 1] == UInt8(ascii: "u") else {
                return 2
            }
            return isPair(at: offset, of: text, in: bytes) ? 12 : 6
        case 0xF0...: return 4
        case 0xE0..<0xF0: return 3
        case 0xC0..<0xE0: return 2
        default: return 1
        }
    }

    /// True if the escape at `offset` and the one behind it are the halves of one character: D8 to
    /// DB begins the first, DC to DF the second. A half can stand alone, too.
    private static func isPair(
        at offset: Int, of text: Range<Int>, in bytes: UnsafeRawBufferPointer
    ) -> Bool {
        offset + 9 < text.upperBound
            && bytes[offset + 2] | 0x20 == UInt8(ascii: "d")
            && "89abAB".utf8.contains(bytes[offset + 3])
            && bytes[offset + 6] == UInt8(ascii: "\\")
            && bytes[offset + 7] == UInt8(ascii: "u")
            && bytes[offset + 8] | 0x20 == UInt8(ascii: "d")
            && "cdefCDEF".utf8.contains(bytes[offset + 9])
    }
}
