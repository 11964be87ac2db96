import Glibc
import InferenceTypes
import WireProtocols

/// One downstream socket: finds out what the client speaks and runs it.
public final class ServerConnection: Pollable {
    /// What the connection is doing. Each state names those that may follow.
    enum Stage {
        /// TLS handshake under way -> `http1`, `http2` (by ALPN), `sniffing`, `closed`.
        case handshaking
        /// Cleartext: too few bytes to tell HTTP/2's preface from a request -> `http1`, `http2`.
        case sniffing
        /// -> `lingering`, `closed`.
        case http1
        /// -> `closed`.
        case http2
        /// Our side is shut down; input is thrown away until the client closes -> `closed`.
        case lingering
        /// The descriptor is gone.
        case closed
    }

    unowned(unsafe) let server: Server
    let hasTLS: Bool
    var stage: Stage
    /// Its index in the server's list.
    var place = 0

    var tls: TLSEngine?
    var http2: HTTP2Session?
    var http1: HTTP1ServerState
    /// HTTP/2 streams by slot.
    var streams: [ServerStream?] = []
    /// Bytes of cleartext that wait for a whole preface or HTTP/1.1 head.
    var pending: [UInt8] = []
    /// HTTP/1.1 response bytes, before TLS.
    var plain: BlockQueue
    /// Bytes that the socket has not taken yet.
    var outgoing: BlockQueue
    var isWritable = true
    var isPeerClosed = false
    var closesAfterFlush = false
    /// The client may still be sending when we close: an answer must not be destroyed by a TCP
    /// reset.
    var mustLinger = false
    /// Whatever the client still sends stays in the kernel.
    var ignoresInput = false
    /// Our side of the socket is shut down.
    var isShutDown = false
    /// Unread bytes were left in the kernel because our own output is blocked.
    var hasUnread = false
    /// A pipelined request waits in `pending` and may be parsed now.
    var isParsePending = false
    /// Until when the handshake, the head, the body or the next request must have come.
    var deadline: MonotonicTime
    /// When a graceful stop takes its second step.
    var goAwayAt: MonotonicTime?
    /// When a connection that is to close does so whether or not the client has read everything.
    var cutAt: MonotonicTime?
    /// When the socket last took bytes, or stopped taking them.
    var lastWrite: MonotonicTime
    /// HTTP/2: what the client does beside asking.
    var conduct: HTTP2Conduct
    /// TLS: how often the client shakes hands again.
    private var handshakes: GlitchBucket

    init?(descriptor: Int32, server: Server, tls context: TLSContext?) {
        self.server = server
        hasTLS = context != nil
        plain = BlockQueue(pool: server.reactor.blocks)
        outgoing = BlockQueue(pool: server.reactor.blocks)
        http1 = HTTP1ServerState(limits: server.limits)
        stage = context == nil ? .sniffing : .handshaking
        deadline = server.reactor.now + server.limits.handshakeTimeout
        lastWrite = server.reactor.now
        conduct = HTTP2Conduct(server.limits, at: server.reactor.now)
        handshakes = GlitchBucket(server.limits, at: server.reactor.now)
        if let context {
            guard let engine = TLSEngine(server: context) else { return nil }
            tls = consume engine
        }
        super.init(descriptor: descriptor, reactor: server.reactor)
    }

    public var isHTTP2: Bool { stage == .http2 }
    public var isTLS: Bool { hasTLS }

    // MARK: Reading

    public override func ready(_ events: Readiness) {
        if isParsePending { resumeParsing() }
        if events.hasPeerClosed { isPeerClosed = true }
        if events.contains(.writable), !isWritable {
            isWritable = true
            reactor.markDirty(self)
        }
        if events.contains(.readable) || isPeerClosed { readAvailable() }
    }

    /// Reads until the kernel has no more. Several turns' worth at most, so that one busy client
    /// does not hold up the others.
    private func readAvailable() {
        hasUnread = false
        var rounds = 4
        while descriptor >= 0 {
            guard acceptsInput else {
                hasUnread = true
                if isPeerClosed { lost() }
                return
            }
            switch Socket.read(descriptor, into: reactor.readBuffer) {
            case .bytes(let count):
                deliver(UnsafeRawBufferPointer(rebasing: reactor.readBuffer[..<count]))
                if count < Reactor.readSize, !isPeerClosed { return }
            case .wouldBlock:
                return
            case .closed, .failed:
                lost()
                return
            }
            rounds -= 1
            if rounds == 0 {
                reactor.runAgain(self)
                return
            }
        }
    }

    /// False while a client that does not read its answers keeps sending: its bytes stay in the
    /// kernel, and TCP slows it down.
    private var acceptsInput: Bool {
        if ignoresInput { return false }
        return switch stage {
        case .http1:
            // TLS answers key updates by itself, so a full output stops even the shortest input.
            !isOutputFull
                && (!http1.isHolding || pending.count < server.limits.headerListBytes)
        case .http2: outgoing.count < 256 << 10
        case .handshaking, .sniffing, .lingering, .closed: true
        }
    }

    /// HTTP/1.1 answers that the client has not read come to so much that no further request is
    /// taken up.
    var isOutputFull: Bool { plain.count + outgoing.count >= 256 << 10 }

    private func deliver(_ bytes: UnsafeRawBufferPointer) {
        guard hasTLS else {
            receive(bytes)
            return
        }
        do {
            var rest = bytes
            while !rest.isEmpty, descriptor >= 0 {
                let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(TLSEngine.recordSize))
                rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
                try tls?.receive(piece)
                try readPlaintext()
            }
        } catch {
            tlsFailed()
        }
    }

    private func readPlaintext() throws {
        if stage == .handshaking {
            try tls?.handshake()
            reactor.markDirty(self)
            guard tls?.isHandshakeComplete == true else { return }
            handshakes.forgive(total: tls?.handshakeSteps ?? 0)
            if tls?.negotiatedProtocol == .h2 { startHTTP2() } else { stage = .http1 }
            if stage == .http1 { deadline = reactor.now + server.limits.headerTimeout }
        }
        var plaintext: [UInt8] = []
        swap(&plaintext, &reactor.plaintext)
        defer {
            plaintext.removeAll(keepingCapacity: true)
            swap(&plaintext, &reactor.plaintext)
        }
        let result = try tls?.read(into: &plaintext)
        guard !handshakes.overflows(total: tls?.handshakeSteps ?? 0, at: reactor.now) else {
            close()
            return
        }
        if !plaintext.isEmpty { plaintext.withUnsafeBytes { receive($0) } }
        if result == .closed { lost() }
        // A key update or a session ticket may be waiting to go out.
        reactor.markDirty(self)
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) {
        switch stage {
        case .sniffing: sniff(bytes)
        case .http1: receiveHTTP1(bytes)
        case .http2: receiveHTTP2(bytes)
        case .handshaking, .lingering, .closed: break
        }
    }

    private static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    private func sniff(_ bytes: UnsafeRawBufferPointer) {
        pending.append(contentsOf: bytes)
        let preface = UnsafeRawBufferPointer(
            start: Self.preface.utf8Start, count: Self.preface.utf8CodeUnitCount)
        let isPreface = pending.withUnsafeBytes { pending in
            pending.prefix(preface.count).elementsEqual(preface.prefix(pending.count))
        }
        if isPreface, pending.count < preface.count { return }
        let first = pending
        pending.removeAll()
        deadline = reactor.now + server.limits.headerTimeout
        if isPreface {
            startHTTP2()
            first.withUnsafeBytes { receiveHTTP2($0) }
        } else {
            stage = .http1
            first.withUnsafeBytes { receiveHTTP1($0) }
        }
    }

    // MARK: Writing

    public override func flush() {
        guard descriptor >= 0 else { return }
        if stage == .http2 { flushHTTP2() } else { flushBytes() }
        server.noteBuffers()
        guard descriptor >= 0 else { return }
        if isWritable, outgoing.isEmpty, plain.isEmpty {
            if closesAfterFlush {
                closeGently()
            } else if hasUnread || isParsePending {
                reactor.runAgain(self)
            }
        }
    }

    /// HTTP/1.1, handshakes and leftovers: straight from the queues.
    private func flushBytes() {
        if hasTLS { encryptPlain() }
        guard isWritable else { return }
        var isSound = hasTLS || !outgoing.isEmpty ? writeOut(&outgoing) : true
        if isSound, !hasTLS, outgoing.isEmpty, !plain.isEmpty { isSound = writeOut(&plain) }
        if isSound { http1Drained() } else { lost() }
    }

    private func encryptPlain() {
        guard tls != nil else { return }
        // While the socket is blocked plain text waits: its length is what back-pressure counts.
        while isWritable, !plain.isEmpty, outgoing.count < 64 << 10 {
            guard let taken = try? tls?.write(plain.front), taken > 0 else { break }
            plain.consume(taken)
            tls?.takeOutput(into: &outgoing)
        }
        tls?.takeOutput(into: &outgoing)
    }

    /// Encrypts `bytes` (all of them) behind what already waits.
    func encrypt(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(TLSEngine.recordSize))
            guard let taken = try? tls?.write(piece), taken > 0 else {
                close()
                return
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            tls?.takeOutput(into: &outgoing)
        }
    }

    /// Writes as much as the socket takes. False: the connection is broken, and the caller, who
    /// has the queue no longer borrowed, ends it.
    func writeOut(_ queue: inout BlockQueue) -> Bool {
        while !queue.isEmpty {
            let (transfer, offered) = Socket.write(descriptor, queue)
            switch transfer {
            case .bytes(let count):
                queue.consume(count)
                noteWrite(isBlocked: count < offered)
            case .wouldBlock:
                noteWrite(isBlocked: true)
            case .closed, .failed:
                return false
            }
            if !isWritable { return true }
        }
        return true
    }

    /// The socket took bytes, or said that it takes no more for now.
    func noteWrite(isBlocked: Bool) {
        lastWrite = reactor.now
        if isBlocked { isWritable = false }
    }
}
