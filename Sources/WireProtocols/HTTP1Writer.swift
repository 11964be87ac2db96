/// How a message's body is framed.
public enum HTTP1Framing: Equatable, Sendable {
    case length(Int)
    case chunked
    /// The end of the connection.
    case close
}

/// HTTP/1.1 text, appended to a byte array.
public enum HTTP1Writer {
    /// A response head. `fields` holds neither framing fields nor pseudo-fields. An HTTP/1.0
    /// client waits for the connection's end unless `confirmsKeepAlive` tells it otherwise.
    public static func appendResponseHead(
        to text: inout [UInt8], status: Int, fields: borrowing FieldBlock,
        framing: HTTP1Framing, keepAlive: Bool, confirmsKeepAlive: Bool = false
    ) {
        append("HTTP/1.1 ", to: &text)
        appendDecimal(status, to: &text)
        text.append(0x20)
        append(reason(status), to: &text)
        append("\r\n", to: &text)
        for index in 0..<fields.count {
            fields.withName(at: index) { text.append(contentsOf: $0) }
            append(": ", to: &text)
            fields.withValue(at: index) { text.append(contentsOf: $0) }
            append("\r\n", to: &text)
        }
        switch framing {
        case .length(let count):
            append("content-length: ", to: &text)
            appendDecimal(count, to: &text)
            append("\r\n", to: &text)
        case .chunked: append("transfer-encoding: chunked\r\n", to: &text)
        case .close: break
        }
        if !keepAlive {
            append("connection: close\r\n", to: &text)
        } else if confirmsKeepAlive {
            append("connection: keep-alive\r\n", to: &text)
        }
        append("\r\n", to: &text)
    }

    /// The size line of a chunk; the payload and a CRLF follow.
    public static func appendChunkSize(to text: inout [UInt8], _ count: Int) {
        let number = UInt(count.magnitude)
        var shift = max(0, (UInt.bitWidth - number.leadingZeroBitCount - 1) & ~3)
        while shift >= 0 {
            let digit = UInt8((number >> UInt(shift)) & 0xF)
            text.append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
            shift -= 4
        }
        append("\r\n", to: &text)
    }

    public static func append(_ string: StaticString, to text: inout [UInt8]) {
        text.append(
            contentsOf: UnsafeBufferPointer(
                start: string.utf8Start, count: string.utf8CodeUnitCount))
    }

    public static func append(_ string: String, to text: inout [UInt8]) {
        text.append(contentsOf: string.utf8)
    }

    public static func appendDecimal(_ number: Int, to text: inout [UInt8]) {
        var room: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &room) { room in
            text.append(contentsOf: UnsafeRawBufferPointer(decimal(number, in: room)))
        }
    }

    /// Writes `text` to `room`, which has a place for it; returns how many bytes those are.
    @inline(__always)
    public static func write(
        _ text: StaticString, to room: UnsafeMutableRawBufferPointer, at offset: Int
    ) -> Int {
        let count = text.utf8CodeUnitCount
        precondition(offset >= 0 && count <= room.count - offset)
        room.baseAddress.map {
            ($0 + offset).copyMemory(from: text.utf8Start, byteCount: count)
        }
        return count
    }

    /// The same with a number that is not negative: up to 19 digits.
    @inline(__always)
    public static func write(
        _ number: Int, to room: UnsafeMutableRawBufferPointer, at offset: Int
    ) -> Int {
        var count = 1
        var rest = number.magnitude / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        rest = number.magnitude
        var place = offset + count
        while place > offset {
            place -= 1
            room[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return count
    }

    /// Writes a number to the end of `room`, which holds the sign and 19 digits at least; returns
    /// where it lies.
    static func decimal(
        _ number: Int, in room: UnsafeMutableRawBufferPointer
    ) -> UnsafeMutableRawBufferPointer {
        var start = room.count
        var rest = number.magnitude
        repeat {
            start -= 1
            room[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        if number < 0 {
            start -= 1
            room[start] = UInt8(ascii: "-")
        }
        return UnsafeMutableRawBufferPointer(rebasing: room[start...])
    }

    /// The phrases of RFC 9110 15 for the statuses that are used here.
    static func reason(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Status"
        }
    }
}
