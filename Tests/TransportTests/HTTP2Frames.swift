/// HTTP/2 as a client writes and reads it, by hand: what a library would refuse to send can be
/// sent too.
enum HTTP2Frames {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let priority: UInt8 = 2
    static let rstStream: UInt8 = 3
    static let settings: UInt8 = 4
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9

    static let endStream: UInt8 = 1
    static let acknowledge: UInt8 = 1
    static let endHeaders: UInt8 = 4

    static func number(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    static func frame(
        _ type: UInt8, flags: UInt8 = 0, stream: Int = 0, _ payload: [UInt8] = []
    ) -> [UInt8] {
        Array(number(payload.count)[1...]) + [type, flags] + number(stream) + payload
    }

    /// HPACK literals without indexing and without Huffman codes.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value in [0] + text(name) + text(value) }
    }

    private static func text(_ string: String) -> [UInt8] {
        let bytes = Array(string.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var rest = bytes.count - 127
        var length: [UInt8] = [127]
        while rest >= 128 {
            length.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    static func request(
        _ stream: Int, method: String = "GET", path: String = "/",
        fields: [(String, String)] = [], end: Bool = true
    ) -> [UInt8] {
        let pseudo = [
            (":method", method), (":scheme", "http"), (":authority", "a"), (":path", path),
        ]
        return frame(
            headers, flags: endHeaders | (end ? endStream : 0), stream: stream,
            block(pseudo + fields))
    }

    static func body(_ stream: Int, _ bytes: [UInt8], end: Bool = false) -> [UInt8] {
        frame(data, flags: end ? endStream : 0, stream: stream, bytes)
    }

    static func reset(_ stream: Int, code: Int = 8) -> [UInt8] {
        frame(rstStream, stream: stream, number(code))
    }

    static func settings(_ pairs: [(id: Int, value: Int)] = []) -> [UInt8] {
        frame(settings, pairs.flatMap { number($0.id)[2...] + number($0.value) })
    }

    static func windowUpdate(_ stream: Int, _ increment: Int) -> [UInt8] {
        frame(windowUpdate, stream: stream, number(increment))
    }

    static let settingsAcknowledged = frame(settings, flags: acknowledge)
    static let start = preface + settings()
}

/// One frame as it came.
struct HTTP2Frame: Equatable {
    var type: UInt8
    var flags: UInt8
    var stream: Int
    var payload: [UInt8]

    var endsStream: Bool { flags & HTTP2Frames.endStream != 0 && type <= HTTP2Frames.headers }

    /// The error code of RST_STREAM and GOAWAY.
    var code: Int? {
        switch type {
        case HTTP2Frames.rstStream: payload.suffix(4).reduce(0) { $0 << 8 | Int($1) }
        case HTTP2Frames.goAway: payload.dropFirst(4).prefix(4).reduce(0) { $0 << 8 | Int($1) }
        default: nil
        }
    }

    /// The status, which leads every response's block: a field of the static table, or a literal
    /// with that table's name. Good for the first use of a status on a connection.
    var status: Int? {
        guard type == HTTP2Frames.headers, let first = payload.first else { return nil }
        let known = [200, 204, 206, 304, 400, 404, 500]
        if (0x88...0x8E).contains(first) { return known[Int(first) - 0x88] }
        guard payload.count > 1 else { return nil }
        let text = payload.dropFirst(2).prefix(Int(payload[1] & 0x7F))
        if payload[1] & 0x80 == 0 { return Int(String(decoding: text, as: UTF8.self)) }
        return HTTP2Frame.digits(text)
    }

    /// RFC 7541's Huffman codes of digits: five bits for 0 to 2, six for the rest.
    private static func digits(_ bytes: ArraySlice<UInt8>) -> Int? {
        let bits = bytes.flatMap { byte in (0..<8).map { Int(byte >> (7 - $0)) & 1 } }
        var value = 0
        var place = 0
        for _ in 0..<3 {
            guard place + 5 <= bits.count else { return nil }
            let five = bits[place..<place + 5].reduce(0) { $0 << 1 | $1 }
            if five <= 2 {
                value = value * 10 + five
                place += 5
            } else {
                guard place + 6 <= bits.count else { return nil }
                value = value * 10 + (five << 1 | bits[place + 5]) - 0x19 + 3
                place += 6
            }
        }
        return value
    }
}

/// Cuts a stream of bytes into frames.
struct HTTP2FrameReader {
    private var pending: [UInt8] = []
    var isEmpty: Bool { pending.isEmpty }

    mutating func append(_ bytes: some Sequence<UInt8>) -> [HTTP2Frame] {
        pending += bytes
        var frames: [HTTP2Frame] = []
        var start = 0
        while pending.count - start >= 9 {
            let length = pending[start..<start + 3].reduce(0) { $0 << 8 | Int($1) }
            guard pending.count - start >= 9 + length else { break }
            frames.append(
                HTTP2Frame(
                    type: pending[start + 3], flags: pending[start + 4],
                    stream: pending[start + 5..<start + 9].reduce(0) { $0 << 8 | Int($1) },
                    payload: Array(pending[start + 9..<start + 9 + length])))
            start += 9 + length
        }
        pending.removeFirst(start)
        return frames
    }
}
