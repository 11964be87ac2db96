import Glibc
import InferenceTypes
import Synchronization
import Testing

@testable import Transport
@testable import WireProtocols

/// What a handler saw, for the test's thread to read.
final class EventLog: Sendable {
    private let entries = Mutex<[(text: String, time: MonotonicTime)]>([])
    let largestBuffer = Mutex(0)

    func note(_ text: String) {
        entries.withLock { $0.append((text, MonotonicClock.now())) }
    }

    var all: [String] { entries.withLock { $0.map(\.text) } }
    func count(of text: String) -> Int { all.count { $0 == text } }
    func time(of text: String) -> MonotonicTime? {
        entries.withLock { $0.first { $0.text == text }?.time }
    }
}

extension FieldBlock {
    init(_ fields: (String, String)...) {
        self.init()
        for (name, value) in fields { append(name, value) }
    }
}

/// Does what the path says.
final class PathHandler: ServerHandler {
    /// A response that is sent as fast as the client takes it.
    final class Download {
        var left: Int
        init(_ left: Int) { self.left = left }
    }

    let log: EventLog
    let index: Int
    private var held: [ServerStream] = []

    init(log: EventLog, index: Int) {
        self.log = log
        self.index = index
    }

    private func answer(_ stream: ServerStream, _ status: Int, _ text: String) {
        stream.respond(
            status: status, fields: FieldBlock(("content-type", "text/plain")),
            length: text.utf8.count)
        let bytes = Array(text.utf8)
        bytes.withUnsafeBytes { stream.send($0, end: true) }
    }

    override func head(_ stream: ServerStream) {
        switch stream.head.string(":path") ?? "" {
        case "/refuse": answer(stream, 404, "no such path")
        case "/early": stream.respond(status: 204, fields: FieldBlock(), end: true)
        default: break
        }
    }

    override func request(_ stream: ServerStream) {
        let path = stream.head.string(":path") ?? ""
        let method = stream.head.string(":method") ?? ""
        log.note("request \(path)")
        switch path {
        case "/hold":
            held.append(stream)
        case "/stream":
            stream.respond(status: 200, fields: FieldBlock())
            Array("first".utf8).withUnsafeBytes { stream.send($0) }
            held.append(stream)
        case "/flood":
            // Far more than any buffer, at once.
            stream.respond(status: 200, fields: FieldBlock())
            [UInt8](repeating: 1, count: 4 << 20).withUnsafeBytes { stream.send($0) }
            held.append(stream)
        case "/chunks":
            stream.respond(status: 200, fields: FieldBlock())
            for piece in ["one ", "two ", "three"] {
                Array(piece.utf8).withUnsafeBytes { stream.send($0) }
            }
            stream.finish()
        case "/abort":
            stream.respond(status: 200, fields: FieldBlock())
            stream.abort()
        case "/reactor":
            answer(stream, 200, "\(index)")
        case _ where path.hasPrefix("/bytes/"):
            let count = Int(path.dropFirst(7)) ?? 0
            stream.exchange = Download(count)
            stream.respond(status: 200, fields: FieldBlock(), length: count)
            push(stream)
        default:
            let body = String(decoding: stream.body, as: UTF8.self)
            answer(stream, 200, "\(method) \(path) \(body)")
        }
    }

    /// What downloads repeat: a prime length, so that no lost or doubled block goes unseen.
    static let pattern = (0..<9_973).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    static func isPattern(_ body: [UInt8]) -> Bool {
        stride(from: 0, to: body.count, by: pattern.count).allSatisfy { start in
            body[start...].starts(with: pattern.prefix(body.count - start))
        }
    }

    private func push(_ stream: ServerStream) {
        guard let download = stream.exchange as? Download else { return }
        while download.left > 0, stream.bufferedBytes < 32 << 10 {
            let count = min(download.left, Self.pattern.count)
            let piece = Self.pattern[..<count]
            download.left -= count
            let isLast = download.left == 0
            if isLast { stream.exchange = nil }
            piece.withUnsafeBytes { stream.send($0, end: isLast) }
            if isLast { return }
            let buffered = stream.bufferedBytes
            log.largestBuffer.withLock { $0 = max($0, buffered) }
        }
        stream.notifyWhenDrained()
    }

    override func drained(_ stream: ServerStream) {
        log.note("drained")
        push(stream)
    }

    override func refused(_ stream: ServerStream, _ refusal: RequestRefusal) {
        log.note("refused \(refusal.status)")
        answer(stream, refusal.status, "refused: \(refusal.status)")
    }

    override func gone(_ stream: ServerStream) {
        // What a handler may well ask here must be safe.
        _ = stream.bufferedBytes
        stream.exchange = nil
        held.removeAll { $0 === stream }
        log.note("gone")
    }
}

/// Reactors on threads of their own, with a `PathHandler` each, on a port of the system's choice.
final class TestServer {
    let group: ReactorGroup
    let port: UInt16
    let log = EventLog()

    init(
        reactors: Int = 1, tls: TLSContext? = nil, _ change: (inout Limits) -> Void = { _ in }
    ) throws {
        var limits = Limits()
        change(&limits)
        group = try ReactorGroup(count: reactors)
        let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
        let socket = try BoundSocket(address)
        port = socket.address.port
        for reactor in group.reactors {
            let handler = PathHandler(log: log, index: reactor.index)
            reactor.server = Server(reactor: reactor, handler: handler, limits: limits)
        }
        group.listen(on: socket, tls: tls)
        group.start()
    }

    func client(receiveBuffer: Int32? = nil) throws -> RawClient {
        try RawClient(port: port, receiveBuffer: receiveBuffer)
    }

    var openConnections: Int {
        group.reactors.reduce(0) { $0 + $1.connectionCount.load(ordering: .relaxed) }
    }

    deinit {
        group.stopListening()
        for reactor in group.reactors { reactor.post { $0.server?.closeAll() } }
        group.stop()
        group.join()
    }
}

private final class SyncBox<R: Sendable>: Sendable { let value = Mutex<R?>(nil) }

extension Reactor {
    /// Runs `work` on the reactor's thread and waits for what it returns.
    func sync<R: Sendable>(_ work: @escaping @Sendable (Reactor) -> R) -> R? {
        let box = SyncBox<R>()
        post { reactor in
            let value = work(reactor)
            box.value.withLock { $0 = value }
        }
        _ = eventually { box.value.withLock { $0 != nil } }
        return box.value.withLock { $0 }
    }
}

/// True if `attempt`, which says how long something took, is below 50 ms once in five tries: the
/// machine may be busy with something else, the server may not.
func isAtOnce(_ attempt: () throws -> TimeSpan?) rethrows -> Bool {
    for _ in 0..<5 {
        if let time = try attempt(), time < .milliseconds(50) { return true }
    }
    return false
}

/// One HTTP/1.1 response as it lies on the wire.
struct WireResponse: Equatable {
    var status = 0
    var fields: [String] = []
    var body: [UInt8] = []
    var text: String { String(decoding: body, as: UTF8.self) }
}

extension RawClient {
    /// Reads `count` responses; fewer if the connection ends or says nothing HTTP/1.1.
    func responses(_ count: Int, toHead: Bool = false) -> [WireResponse] {
        var parser = HTTP1ResponseParser(limits: Limits())
        parser.reset(requestMethodIsHead: toHead)
        var all: [WireResponse] = []
        var current = WireResponse()
        var pending: [UInt8] = []
        var head = FieldBlock()
        while all.count < count {
            var used = 0
            var wantsMore = false
            pending.withUnsafeBytes { bytes in
                while !wantsMore, all.count < count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[used...])
                    switch try? parser.next(rest, into: &head) {
                    case .needMore, nil: wantsMore = true
                    case .head(let consumed, let parsed):
                        used += consumed
                        current.status = parsed.status
                        current.fields = (0..<head.count).map {
                            "\(head.name(at: $0)): \(head.value(at: $0))"
                        }
                    case .body(let range, let consumed):
                        current.body += rest[range]
                        used += consumed
                    case .end(let consumed):
                        used += consumed
                        all.append(current)
                        current = WireResponse()
                        parser.reset(requestMethodIsHead: toHead)
                    }
                }
            }
            pending.removeFirst(used)
            if all.count == count { break }
            guard let bytes = receive(1 << 20), !bytes.isEmpty else {
                if parser.inputClosed() == .endOfCloseDelimitedBody { all.append(current) }
                break
            }
            pending += bytes
        }
        return all
    }

    func get(_ path: String, _ fields: String = "") -> WireResponse? {
        send("GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        return responses(1).first
    }
}

/// A small HTTP/2 client over a raw socket.
final class HTTP2Client {
    let socket: RawClient
    private var reader = HTTP2FrameReader()
    private var unread: [HTTP2Frame] = []

    init(_ socket: RawClient, start: [UInt8] = HTTP2Frames.start) {
        self.socket = socket
        socket.send(start)
    }

    /// Frames up to and with the first that `isLast` holds for; all there are if none comes.
    func frames(through isLast: (HTTP2Frame) -> Bool) -> [HTTP2Frame] {
        var seen: [HTTP2Frame] = []
        while true {
            while !unread.isEmpty {
                let frame = unread.removeFirst()
                seen.append(frame)
                if isLast(frame) { return seen }
            }
            guard let bytes = socket.receive(), !bytes.isEmpty else { return seen }
            unread = reader.append(bytes)
        }
    }

    /// The response on `stream`, opening windows as it comes.
    func response(_ stream: Int) -> (status: Int?, body: [UInt8]) {
        var status: Int?
        var body: [UInt8] = []
        let last = frames { frame in
            guard frame.stream == stream else { return false }
            if frame.type == HTTP2Frames.headers { status = frame.status }
            if frame.type == HTTP2Frames.data, !frame.payload.isEmpty {
                body += frame.payload
                socket.send(
                    HTTP2Frames.windowUpdate(0, frame.payload.count)
                        + HTTP2Frames.windowUpdate(stream, frame.payload.count))
            }
            return frame.endsStream || frame.type == HTTP2Frames.rstStream
        }
        _ = last
        return (status, body)
    }
}
