import InferenceTypes
import Transport
import WireProtocols

/// The model server on its reactor: requests into the service, its actions onto streams, and a
/// timer at the engine's next event.
final class ModelServerHandler: ServerHandler {
    private var service: EmulatedService
    private let reactor: Reactor
    private let box: EngineReadingBox
    private let serverName: String
    private var timer: Timer?
    private var streams: [UInt64: ServerStream] = [:]
    /// Exchanges whose chunks this handler frames itself.
    private var handMade: Set<UInt64> = []
    private var nextID: UInt64 = 1
    private var output = ServiceOutput()
    /// Exchanges whose connection is to be closed, each with the earliest time.
    private var closing: [(id: UInt64, at: MonotonicTime)] = []
    private var closer: Timer?

    /// A connection that is to be closed waits for its bytes to leave, at most this long.
    private static let patience = TimeSpan.seconds(2)
    private static let closeInterval = TimeSpan.milliseconds(1)

    init(service: EmulatedService, reactor: Reactor, box: EngineReadingBox) {
        self.service = service
        self.reactor = reactor
        self.box = box
        serverName = service.options.kind == .llamaServer ? "llama.cpp" : "uvicorn"
        super.init()
        timer = Timer(on: reactor) { [unowned self] in self.tick() }
        closer = Timer(on: reactor) { [unowned self] in self.closeDue() }
        publish()
    }

    // MARK: From Transport

    override func request(_ stream: ServerStream) {
        let id = nextID
        nextID += 1
        stream.tag = Int(truncatingIfNeeded: id)
        streams[id] = stream
        let request = ServiceRequest(
            id: id, method: stream.head.string(":method") ?? "",
            target: stream.head.string(":path") ?? "",
            requestID: stream.head.string("x-request-id"),
            fault: stream.head.string("x-emulated-fault"), body: stream.body)
        service.handle(request, at: reactor.now, into: &output)
        perform()
    }

    override func refused(_ stream: ServerStream, _ refusal: RequestRefusal) {
        var fields = FieldBlock()
        fields.append("server", serverName)
        stream.respond(status: refusal.status, fields: fields, length: 0, end: true)
    }

    override func gone(_ stream: ServerStream) {
        let id = UInt64(truncatingIfNeeded: stream.tag)
        guard streams[id] === stream else { return }
        streams[id] = nil
        handMade.remove(id)
        service.disconnect(id, at: reactor.now, into: &output)
        perform()
    }

    // MARK: Time

    private func tick() {
        service.advance(to: reactor.now, into: &output)
        perform()
    }

    private func perform() {
        // Taken out, since closing a connection calls back.
        var work = ServiceOutput()
        swap(&work, &output)
        for action in work.actions { perform(action, work.bytes) }
        work.removeAll()
        if output.actions.isEmpty { swap(&work, &output) }
        publish()
        if let next = service.nextEvent() { timer?.arm(at: next) } else { timer?.disarm() }
    }

    private func perform(_ action: ServiceAction, _ bytes: [UInt8]) {
        switch action {
        case .respond(let id, let status, let contentType, let framing, let announcesClose):
            guard let stream = streams[id] else { return }
            var fields = FieldBlock()
            fields.append("server", serverName)
            fields.append("content-type", contentType)
            if announcesClose { fields.append("connection", "close") }
            if framing == .handMadeChunks { handMade.insert(id) }
            stream.respondEmulated(status: status, fields: fields, framing: framing)
        case .send(let id, let range):
            let isHandMade = !handMade.isEmpty && handMade.contains(id)
            bytes.withUnsafeBytes { bytes in
                let bytes = UnsafeRawBufferPointer(rebasing: bytes[range])
                if isHandMade { streams[id]?.sendChunk(bytes) } else { streams[id]?.send(bytes) }
            }
        case .sendRaw(let id, let range):
            bytes.withUnsafeBytes { bytes in
                streams[id]?.send(UnsafeRawBufferPointer(rebasing: bytes[range]))
            }
        case .finish(let id):
            guard let stream = streams.removeValue(forKey: id) else { return }
            if handMade.remove(id) != nil {
                // The last chunk of a stream that its fault spared.
                Array("0\r\n\r\n".utf8).withUnsafeBytes { stream.send($0) }
            }
            stream.finish()
        case .abort(let id, let span):
            closing.append((id: id, at: reactor.now + span))
            closer?.arm(at: reactor.now + min(span, Self.closeInterval))
        }
    }

    /// Closes the connections whose bytes have left and whose time has come.
    private func closeDue() {
        let now = reactor.now
        var rest: [(id: UInt64, at: MonotonicTime)] = []
        var due: [ServerStream] = []
        for entry in closing {
            guard let stream = streams[entry.id] else { continue }
            let isFlushed = stream.bufferedBytes == 0
            if now >= entry.at, isFlushed || now - entry.at > Self.patience {
                streams[entry.id] = nil
                handMade.remove(entry.id)
                due.append(stream)
            } else {
                rest.append(entry)
            }
        }
        closing = rest
        if let next = rest.map(\.at).min() {
            closer?.arm(at: max(next, now + Self.closeInterval))
        }
        for stream in due { stream.abort() }
    }

    private func publish() {
        let now = reactor.now
        box.reading = EngineReading(
            at: now, power: service.engine.power(at: now),
            energy: service.engine.energy(upTo: now), isBusy: service.engine.running > 0)
    }
}
