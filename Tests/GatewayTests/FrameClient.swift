import InferenceTypes
import Transport

/// A blocking HTTP/2 client that knows as much of frames and HPACK as these tests need: literal
/// fields out, the status in.
final class FrameClient {
    /// What one stream got.
    struct Reply {
        var status = 0
        var body: [UInt8] = []
        var isEnded = false
        /// The code of RST_STREAM.
        var reset: UInt32?

        var isOver: Bool { isEnded || reset != nil }
        var text: String { String(decoding: body, as: UTF8.self) }
        /// As HTTP/1.1 would have brought it.
        var response: RawResponse {
            var response = RawResponse()
            response.status = status
            response.body = body
            response.isWhole = isEnded
            return response
        }
    }

    private(set) var replies: [UInt32: Reply] = [:]
    private(set) var goAways = 0
    /// False: the windows that the gateway may send into are never opened again.
    var opensWindows = true

    private let wire: RawWire
    private var received: [UInt8] = []
    private var nextStream: UInt32 = 1

    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        wire = try RawWire(port: port, receiveBuffer: receiveBuffer)
        wire.send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
        // No dynamic table for response fields: this client could not follow it.
        frame(4, flags: 0, stream: 0, [0, 1, 0, 0, 0, 0])
    }

    // MARK: Out

    @discardableResult
    func request(
        _ body: String, to path: String = "/v1/chat/completions",
        fields: [(String, String)] = []
    ) -> UInt32 {
        let stream = nextStream
        nextStream += 2
        replies[stream] = Reply()
        var block: [UInt8] = []
        let head = [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
            ("content-type", "application/json"),
        ]
        for (name, value) in head + fields {
            block.append(0)
            for text in [name, value] {
                block.append(UInt8(text.utf8.count))
                block += Array(text.utf8)
            }
        }
        frame(1, flags: 4, stream: stream, block)
        frame(0, flags: 1, stream: stream, Array(body.utf8))
        return stream
    }

    func reset(_ stream: UInt32) { frame(3, flags: 0, stream: stream, [0, 0, 0, 8]) }

    func openWindows(_ stream: UInt32, by count: UInt32) {
        for target in [0, stream] { frame(8, flags: 0, stream: target, Self.bytes(count)) }
    }

    func close() { wire.close() }

    private func frame(_ type: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8]) {
        let length = Self.bytes(UInt32(payload.count)).dropFirst()
        wire.send(Array(length) + [type, flags] + Self.bytes(stream) + payload)
    }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    // MARK: In

    /// Takes frames in until the condition holds, the connection ends or ten seconds have passed.
    @discardableResult
    func read(until condition: (FrameClient) -> Bool) -> Bool {
        let end = MonotonicClock.now() + .seconds(10)
        while !condition(self) {
            guard MonotonicClock.now() < end, let bytes = wire.receive() else {
                return condition(self)
            }
            received += bytes
            while takeFrame() {}
        }
        return true
    }

    /// One stream to its end.
    func reply(_ stream: UInt32) -> Reply {
        read { $0.replies[stream]?.isOver == true }
        return replies[stream] ?? Reply()
    }

    private func takeFrame() -> Bool {
        guard received.count >= 9 else { return false }
        let length = Int(received[0]) << 16 | Int(received[1]) << 8 | Int(received[2])
        guard received.count >= 9 + length else { return false }
        let (type, flags) = (received[3], received[4])
        let stream = received[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let payload = Array(received[9..<9 + length])
        received.removeFirst(9 + length)
        take(type, flags, stream, payload)
        return true
    }

    private func take(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) {
        switch type {
        case 0:
            replies[stream]?.body += payload
            if opensWindows, !payload.isEmpty { openWindows(stream, by: UInt32(payload.count)) }
            if flags & 1 != 0 { replies[stream]?.isEnded = true }
        case 1:
            replies[stream]?.status = Self.status(payload)
            if flags & 1 != 0 { replies[stream]?.isEnded = true }
        case 3: replies[stream]?.reset = payload.reduce(0) { $0 << 8 | UInt32($1) }
        case 4 where flags & 1 == 0: frame(4, flags: 1, stream: 0, [])
        case 6 where flags & 1 == 0: frame(6, flags: 1, stream: 0, payload)
        case 7: goAways += 1
        default: break
        }
    }

    /// The first field of a response is its status: an index of the static table, or a literal.
    private static func status(_ block: [UInt8]) -> Int {
        let known: [UInt8: Int] = [
            0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500,
        ]
        // A change of the table's size may come first.
        let start = block.firstIndex { $0 & 0xE0 != 0x20 } ?? 0
        if let status = known[block[start]] { return status }
        let length = Int(block[start + 1] & 0x7F)
        let value = block[(start + 2)...].prefix(length)
        if block[start + 1] & 0x80 == 0 {
            return Int(String(decoding: value, as: UTF8.self)) ?? 0
        }
        return huffmanNumber(value)
    }

    /// Digits have codes of five bits (0, 1, 2) and six (25 stands for 3, 31 for 9).
    private static func huffmanNumber(_ bytes: ArraySlice<UInt8>) -> Int {
        let bits = bytes.flatMap { byte in (0..<8).map { Int(byte >> (7 - $0)) & 1 } }
        var number = 0
        var offset = 0
        while offset + 5 <= bits.count {
            let five = bits[offset..<offset + 5].reduce(0) { $0 << 1 | $1 }
            if five <= 2 {
                number = number * 10 + five
                offset += 5
                continue
            }
            guard offset + 6 <= bits.count else { break }
            let six = five << 1 | bits[offset + 5]
            guard (25...31).contains(six) else { break }
            number = number * 10 + six - 22
            offset += 6
        }
        return number
    }
}
