/// Frames of a client, as the input's records say. A record is type, flags, stream, length and so
/// many bytes of payload: a frame whose length is right is no matter of luck. Type 0xFF stands for
/// bytes that go onto the wire as they are, whatever they make of the frames around them.
struct HTTP2Wire {
    private(set) var bytes: [UInt8]
    private(set) var frames = 0
    /// What the peer's frames allow us to send, were all of them good: the connection's window.
    private(set) var greatestWindow = 65_535
    /// What becomes of the rest may depend on where the bytes are cut. A HEADERS frame on a stream
    /// that was passed over is noticed between two pieces only; after a GOAWAY of the peer's the
    /// library takes in no further piece once no stream is open.
    private(set) var dependsOnPieces = false
    /// Those that HEADERS came on.
    private(set) var streams: Set<Int> = []

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let rawRecord: UInt8 = 0xFF
    private static let headers: UInt8 = 1
    private static let settings: UInt8 = 4
    private static let goAway: UInt8 = 7
    private static let continuation: UInt8 = 9
    private static let windowUpdate: UInt8 = 8

    /// - Parameter hasPreface: the preface and empty settings come first.
    init(_ records: UnsafeRawBufferPointer, hasPreface: Bool) {
        bytes = hasPreface ? Self.preface + [0, 0, 0, 4, 0, 0, 0, 0, 0] : []
        bytes.reserveCapacity(bytes.count + 3 * records.count)
        var start = 0
        while records.count - start >= 4 {
            let payload = records[(start + 4)...].prefix(Int(records[start + 3]))
            if records[start] != Self.rawRecord {
                bytes.append(contentsOf: [0, 0, UInt8(truncatingIfNeeded: payload.count)])
                bytes.append(contentsOf: records[start..<start + 2])
                bytes.append(contentsOf: [0, 0, 0, records[start + 2]])
            }
            bytes.append(contentsOf: payload)
            start = payload.endIndex
        }
        readFrames()
    }

    private mutating func readFrames() {
        var continuations = 0
        var start = Self.preface.count
        while start + 9 <= bytes.count {
            frames += 1
            let length = number(start, 3)
            let stream = number(start + 5, 4) & 0x7FFF_FFFF
            switch bytes[start + 3] {
            case Self.headers where stream & 1 == 1:
                guard streams.insert(stream).inserted else { break }
                if streams.contains(where: { $0 > stream }) { dependsOnPieces = true }
            case Self.goAway: dependsOnPieces = true
            // Faults that the library would let pass are noticed between two pieces, too.
            case Self.settings where length > 0: dependsOnPieces = true
            case Self.continuation:
                continuations += 1
                if continuations > 8 || length > 16_384 { dependsOnPieces = true }
            case Self.windowUpdate where stream == 0 && start + 13 <= bytes.count:
                greatestWindow += number(start + 9, 4) & 0x7FFF_FFFF
            default: break
            }
            start += 9 + length
        }
    }

    private func number(_ start: Int, _ count: Int) -> Int {
        bytes[start..<start + count].reduce(0) { $0 << 8 | Int($1) }
    }
}
