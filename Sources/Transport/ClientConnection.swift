import Glibc
import InferenceTypes
import WireProtocols

/// One HTTP/1.1 connection to a model server, used for one exchange at a time.
public final class ClientConnection: Pollable {
    /// What the connection is doing. Each state names those that may follow.
    enum Stage {
        /// TCP handshake -> `handshaking`, `ready`, `closed`.
        case connecting
        /// TLS handshake -> `ready`, `closed`.
        case handshaking
        /// Idle, or an exchange is under way -> `closed`.
        case ready
        case closed
    }

    /// Pieces of a response are at most this large: with a stream's buffer limit beside it this
    /// bounds what a slow reader can hold.
    static let readSize = 16 << 10

    public internal(set) var head = FieldBlock()
    public private(set) var isReused = false
    /// A response byte has arrived in this exchange.
    public private(set) var hasResponseBytes = false
    public private(set) var idleSince = MonotonicTime.zero
    public var isIdle: Bool { handler == nil && stage == .ready }
    public var isConnected: Bool { stage == .ready }

    /// Strong: a pool that its owner let go of lives until its last connection is closed.
    let pool: ClientPool
    var stage: Stage
    /// Its index in the pool's list of all connections.
    var place = 0
    private(set) var handler: ClientHandler?
    private var tls: TLSEngine?
    private let hasTLS: Bool
    private var parser: HTTP1ResponseParser
    private var keepsAlive = false
    private var isCloseDelimited = false
    private var pending: [UInt8] = []
    private var plain: BlockQueue
    private var outgoing: BlockQueue
    private var isWritable = false
    private var isPaused = false
    private var hasUnread = false
    private var isPeerClosed = false
    private var exchangesServed = 0

    init(pool: ClientPool, descriptor: Int32, engine: consuming TLSEngine?) {
        self.pool = pool
        parser = HTTP1ResponseParser(limits: pool.limits)
        plain = BlockQueue(pool: pool.reactor.blocks)
        outgoing = BlockQueue(pool: pool.reactor.blocks)
        hasTLS = engine != nil
        tls = engine
        stage = .connecting
        super.init(descriptor: descriptor, reactor: pool.reactor)
    }

    // MARK: For the exchange

    func begin(_ handler: ClientHandler) {
        self.handler = handler
        isReused = exchangesServed > 0
        exchangesServed += 1
        hasResponseBytes = false
        isPaused = false
        head.removeAll()
        parser.reset(requestMethodIsHead: false)
    }

    /// Hands the response head over by swapping blocks.
    public func swapHead(with block: inout FieldBlock) { head.exchange(with: &block) }

    /// Sends request bytes (head and body as HTTP/1.1 text). On a connection that is ready they go
    /// to the kernel from where they are; else, and what it does not take, when it is.
    public func send(
        _ head: UnsafeRawBufferPointer,
        _ body: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) {
        var sent = 0
        if stage == .ready, !hasTLS, isWritable, plain.isEmpty, descriptor >= 0 {
            switch Socket.write(descriptor, head, body) {
            case .bytes(let count): sent = count
            case .wouldBlock: break
            case .closed, .failed:
                outputFailed()
                return
            }
            if sent == head.count + body.count { return }
            isWritable = false
        }
        let sentOfHead = min(sent, head.count)
        plain.append(UnsafeRawBufferPointer(rebasing: head[sentOfHead...]))
        plain.append(UnsafeRawBufferPointer(rebasing: body[(sent - sentOfHead)...]))
        reactor.markDirty(self)
    }

    /// The response may already be waiting (an early error): reading decides.
    private func outputFailed() {
        isPeerClosed = true
        reactor.runAgain(self)
    }

    /// Stops reading: the upstream fills its own buffers and TCP slows it down.
    public func pause() { isPaused = true }

    public func resume() {
        guard isPaused else { return }
        isPaused = false
        if hasUnread || isPeerClosed { reactor.runAgain(self) }
    }

    /// Gives the exchange up: the model server sees a closed connection and stops generating.
    public func cancel() {
        handler = nil
        close()
    }

    // MARK: Events

    public override func ready(_ events: Readiness) {
        if events.hasPeerClosed { isPeerClosed = true }
        if stage == .connecting {
            guard events.contains(.writable) || isPeerClosed else { return }
            guard finishConnecting() else { return }
        }
        if events.contains(.writable), !isWritable {
            isWritable = true
            reactor.markDirty(self)
        }
        if events.contains(.readable) || isPeerClosed { readAvailable() }
    }

    private func finishConnecting() -> Bool {
        let code = Socket.pendingError(descriptor)
        guard code == 0 else {
            fail(.connect(code))
            return false
        }
        stage = hasTLS ? .handshaking : .ready
        isWritable = true
        if hasTLS { advanceHandshake() } else { handler?.connected(self) }
        reactor.markDirty(self)
        return descriptor >= 0
    }

    private func advanceHandshake() {
        do {
            try tls?.handshake()
        } catch {
            fail(.tls(error.description))
            return
        }
        reactor.markDirty(self)
        guard tls?.isHandshakeComplete == true, stage == .handshaking else { return }
        stage = .ready
        handler?.connected(self)
    }

    private func readAvailable() {
        hasUnread = false
        var rounds = 8
        while descriptor >= 0 {
            if isPaused {
                hasUnread = true
                return
            }
            let buffer = UnsafeMutableRawBufferPointer(
                rebasing: reactor.readBuffer[..<Self.readSize])
            switch Socket.read(descriptor, into: buffer) {
            case .bytes(let count):
                deliver(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
                if count < Self.readSize, !isPeerClosed { return }
            case .wouldBlock:
                return
            case .closed, .failed:
                inputClosed()
                return
            }
            rounds -= 1
            if rounds == 0 {
                reactor.runAgain(self)
                return
            }
        }
    }

    /// The bytes are the reactor's, and are written to as framing is taken off them.
    private func deliver(_ bytes: UnsafeMutableRawBufferPointer) {
        guard hasTLS else {
            receive(bytes)
            return
        }
        var plaintext: [UInt8] = []
        swap(&plaintext, &reactor.plaintext)
        defer {
            plaintext.removeAll(keepingCapacity: true)
            swap(&plaintext, &reactor.plaintext)
        }
        do {
            try tls?.receive(UnsafeRawBufferPointer(bytes))
            if stage == .handshaking { advanceHandshake() }
            guard stage == .ready else { return }
            let result = try tls?.read(into: &plaintext)
            if !plaintext.isEmpty { plaintext.withUnsafeMutableBytes { receive($0) } }
            if result == .closed { inputClosed() }
        } catch {
            fail(.tls("\(error)"))
        }
    }

    private func receive(_ bytes: UnsafeMutableRawBufferPointer) {
        guard handler != nil else {
            // An idle upstream has nothing to say: whatever this is, it is not ours.
            close()
            return
        }
        hasResponseBytes = true
        if pending.isEmpty {
            let consumed = parse(bytes)
            if consumed < bytes.count, descriptor >= 0 {
                pending.append(contentsOf: bytes[consumed...])
            }
        } else {
            // Joined in the reactor's memory: the connection keeps only what is left over, or a
            // thousand slow streams would each keep a whole read.
            var joined: [UInt8] = []
            swap(&joined, &reactor.joined)
            joined.append(contentsOf: pending)
            joined.append(contentsOf: bytes)
            pending = []
            let consumed = joined.withUnsafeMutableBytes { parse($0) }
            if consumed < joined.count, descriptor >= 0 { pending = Array(joined[consumed...]) }
            joined.removeAll(keepingCapacity: true)
            swap(&joined, &reactor.joined)
        }
    }

    /// Parses as far as it can; returns how many bytes were used.
    private func parse(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
        var offset = 0
        while descriptor >= 0, handler != nil {
            var rest = UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
            // A burst of small chunks costs its receiver one call.
            let (payload, used) = parser.unframe(rest)
            if used > 0 {
                offset += used
                handler?.received(self, UnsafeRawBufferPointer(rebasing: rest[payload]))
                guard descriptor >= 0, handler != nil else { break }
                rest = UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
            }
            do {
                switch try parser.next(UnsafeRawBufferPointer(rest), into: &head) {
                case .needMore:
                    return offset
                case .head(let consumed, let head):
                    offset += consumed
                    keepsAlive = head.keepAlive
                    isCloseDelimited = head.isCloseDelimited
                    handler?.responded(self, head)
                case .body(let range, let consumed):
                    offset += consumed
                    // Framing alone may have been used.
                    guard !range.isEmpty else { continue }
                    handler?.received(self, UnsafeRawBufferPointer(rebasing: rest[range]))
                case .end(let consumed):
                    offset += consumed
                    finish(hasMore: offset < bytes.count)
                    return bytes.count
                }
            } catch {
                fail(.malformed(error))
                return bytes.count
            }
        }
        return bytes.count
    }

    /// The response is whole: the connection is idle again before the handler hears of it, so
    /// that the next exchange can have it.
    private func finish(hasMore: Bool) {
        guard let finished = handler else { return }
        handler = nil
        let isClean = keepsAlive && !hasMore && plain.isEmpty && outgoing.isEmpty && !isPeerClosed
        if isClean {
            idleSince = reactor.now
            pool.becameIdle(self)
        } else {
            close()
        }
        finished.ended(self, isCloseDelimited: false)
    }

    private func inputClosed() {
        guard let waiting = handler else {
            close()
            return
        }
        switch parser.inputClosed() {
        case .endOfCloseDelimitedBody:
            handler = nil
            close()
            waiting.ended(self, isCloseDelimited: true)
        case .clean:
            fail(hasResponseBytes ? .truncated : .closedBeforeResponse)
        case .truncated:
            fail(hasResponseBytes ? .truncated : .closedBeforeResponse)
        }
    }

    private func fail(_ failure: ClientFailure) {
        let waiting = handler
        handler = nil
        close()
        waiting?.failed(self, failure)
    }

    func close() {
        guard stage != .closed else { return }
        stage = .closed
        pool.forget(self)
        reactor.bury(self)
    }

    // MARK: Writing

    public override func flush() {
        guard descriptor >= 0, stage != .connecting, isWritable else { return }
        if hasTLS {
            if stage == .ready {
                while !plain.isEmpty, let taken = try? tls?.write(plain.front), taken > 0 {
                    plain.consume(taken)
                }
            }
            tls?.takeOutput(into: &outgoing)
            writeOut(&outgoing)
        } else {
            writeOut(&plain)
        }
    }

    private func writeOut(_ queue: inout BlockQueue) {
        while !queue.isEmpty {
            let (transfer, offered) = Socket.write(descriptor, queue)
            switch transfer {
            case .bytes(let count):
                queue.consume(count)
                if count < offered {
                    isWritable = false
                    return
                }
            case .wouldBlock:
                isWritable = false
                return
            case .closed, .failed:
                queue.clear()
                outputFailed()
                return
            }
        }
    }
}
