import Benchmark
import InferenceTypes
import WireProtocols

/// The client's side of an HTTP/2 connection, written by hand: from the second request on all
/// fields but the path and the authority come from the dynamic table.
private enum Frames {
    static func frame(_ type: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        [16, 8, 0].map { UInt8(truncatingIfNeeded: payload.count >> $0) } + [type, flags]
            + number(stream) + payload
    }

    static func number(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        + frame(4, flags: 0, stream: 0, [])

    private static let pairs = [
        ("host-name", "gateway.example"), ("accept", "application/json"),
        ("user-agent", "AsyncOpenAI/Python 1.90.0"), ("content-type", "application/json"),
        ("authorization", "Bearer sk-0123456789abcdef0123456789abcdef"),
        ("x-stainless-lang", "python"), ("x-stainless-retry-count", "0"),
    ]

    private static func text(_ value: String) -> [UInt8] {
        [UInt8(value.utf8.count)] + Array(value.utf8)
    }

    /// `:method POST`, `:scheme http`, `:path` and `:authority`, the latter two in full.
    private static let start = [0x83, 0x86, 0x04] + text("/v1/chat/completions") + [0x01]
        + text("gateway.example")

    /// Fields that enter the dynamic table.
    static let firstHead = start + pairs.flatMap { [0x40] + text($0.0) + text($0.1) }
    /// The same ones, by index: 62 is the youngest.
    static let nextHead = start + pairs.indices.reversed().map { 0x80 | UInt8(62 + $0) }
}

/// One session and the stream numbers that it has used.
private final class Connection {
    private var session: HTTP2Session
    private var events: [HTTP2Event] = []
    private var output = ByteQueue(keeping: 64 << 10)
    private var head = FieldBlock()
    private var answer = FieldBlock()
    private var stream: UInt32 = 1
    private var request: [UInt8]
    /// Where the stream's number stands in `request`.
    private let places: [Int]

    init(body: Int) throws {
        guard let session = HTTP2Session(limits: Limits()) else { throw Unexpected("no session") }
        self.session = session
        answer.append(name: "content-type", value: "application/json")
        let pieces = stride(from: 0, to: body, by: 16 << 10).map { start in
            let count = min(body - start, 16 << 10)
            return Frames.frame(
                0, flags: start + count == body ? 1 : 0, stream: 0,
                Array(repeating: UInt8(ascii: "a"), count: count))
        }
        let frames = [Frames.frame(1, flags: 4, stream: 0, Frames.nextHead)] + pieces
        request = frames.flatMap { $0 }
        var (place, places) = (0, [Int]())
        for frame in frames {
            places.append(place + 5)
            place += frame.count
        }
        self.places = places
        let first = Frames.frame(1, flags: 5, stream: stream, Frames.firstHead)
        try exchange(Frames.preface + first)
    }

    func next() throws {
        stream += 2
        let number = Frames.number(stream)
        for place in places { request.replaceSubrange(place..<place + 4, with: number) }
        try exchange(request)
    }

    /// Takes in a request, answers with a head, and gives the slot back.
    private func exchange(_ bytes: [UInt8]) throws {
        var slot: Int?
        var payload = 0
        try bytes.withUnsafeBytes { try session.receive($0) }
        session.takeEvents(into: &events)
        for event in events {
            if event.kind == .head { slot = event.slot }
            payload += event.range.count
        }
        guard let slot else { throw Unexpected("no head") }
        session.swapHead(slot: slot, with: &head)
        guard head.count == 11, payload <= bytes.count else { throw Unexpected("wrong head") }
        session.respond(slot: slot, status: 200, fields: answer, end: true)
        guard session.fill(&output, limit: 1 << 20) else { throw Unexpected("no memory") }
        output.consume(output.count)
        session.takeEvents(into: &events)
        for event in events where event.kind == .closed { session.release(slot: event.slot) }
        guard session.activeStreams == 0 else { throw Unexpected("a stream stayed open") }
    }
}

/// A whole stream on an HTTP/2 connection: frame scanner, HPACK both ways, the events.
func measureConnections() {
    for (name, body) in [("300 bytes", 300), ("64 KiB", 64 << 10)] {
        measure("HTTP/2 request of \(name), head answered", bytes: body) {
            let connection = try Connection(body: body)
            return { try connection.next() }
        }
    }
}
