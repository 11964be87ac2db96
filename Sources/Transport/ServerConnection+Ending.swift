import Glibc
import InferenceTypes
import WireProtocols

/// How a server connection ends, and what it is given up for.
extension ServerConnection {
    /// The client's side is gone: every unfinished stream is told.
    func lost() { close() }

    /// Takes leave: TLS's last word, then a half-close, if need be, until the client has closed
    /// its side.
    func closeGently() {
        if hasTLS, !isShutDown {
            tls?.shutdown()
            tls?.takeOutput(into: &outgoing)
            guard writeOut(&outgoing) else {
                close()
                return
            }
            // It goes out with the next flush; then `shutdown` adds nothing more.
            guard outgoing.isEmpty else { return }
        }
        guard !isPeerClosed, mustLinger else {
            close()
            return
        }
        guard !isShutDown else { return }
        isShutDown = true
        stage = .lingering
        shutdown(descriptor, Int32(SHUT_WR))
        deadline = reactor.now + .seconds(2)
    }

    /// Closes once everything has left, at the latest in a second, the time between two looks at
    /// the deadlines included.
    func closeAfterFlush() {
        closesAfterFlush = true
        if cutAt == nil { cutAt = reactor.now + .seconds(1) - Server.sweepInterval }
    }

    /// Ends an HTTP/2 connection whose client floods or wastes: its streams at once, the
    /// connection after a last GOAWAY, which the client has less than a second to read. What it
    /// still sends is not read any more.
    func expel(code: UInt32 = HTTP2Error.enhanceYourCalm) {
        guard stage == .http2, let last = http2?.lastFrames(code: code) else {
            close()
            return
        }
        abandonStreams()
        last.withUnsafeBytes { if hasTLS { encrypt($0) } else { outgoing.append($0) } }
        guard stage == .http2 else { return }
        http2 = nil
        stage = .lingering
        mustLinger = true
        ignoresInput = true
        closeAfterFlush()
        deadline = reactor.now + .seconds(1)
        reactor.markDirty(self)
    }

    /// Nothing can be encrypted any more: only the alert, if any, is still to leave.
    func tlsFailed() {
        abandonStreams()
        http2 = nil
        plain.clear()
        if stage != .closed { stage = .lingering }
        ignoresInput = true
        closeAfterFlush()
        reactor.markDirty(self)
    }

    func close() {
        guard stage != .closed else { return }
        stage = .closed
        server.forget(self)
        reactor.bury(self)
        abandonStreams()
    }

    private func abandonStreams() {
        for index in streams.indices {
            if let stream = streams[index] { drop(stream) }
            streams[index] = nil
        }
        if let stream = http1.stream {
            http1.stream = nil
            drop(stream)
        }
    }

    /// Takes a stream out of service; tells the handler if it still had something to say.
    func drop(_ stream: ServerStream) {
        let wasOpen = !stream.isDead && !(stream.isEnded && stream.bufferedBytes == 0)
        stream.isDead = true
        if wasOpen { server.handler.gone(stream) }
        server.recycle(stream)
    }

    func drain() {
        switch stage {
        case .http2:
            http2?.announceShutdown()
            goAwayAt = reactor.now + .seconds(1)
            reactor.markDirty(self)
        case .http1:
            http1.closesAfterResponse = true
            if http1.stream == nil, pending.isEmpty {
                closesAfterFlush = true
                reactor.markDirty(self)
            }
        case .handshaking, .sniffing:
            if pending.isEmpty { close() }
        case .lingering, .closed:
            break
        }
    }

    /// Called twice a second.
    func checkDeadlines(at now: MonotonicTime) {
        // A client that takes nothing holds memory here, answered HTTP/2 streams included.
        let isBlocked = !isWritable && now - lastWrite > server.limits.stallTimeout
        if isBlocked || (cutAt.map { now >= $0 } ?? false) {
            close()
            return
        }
        switch stage {
        case .handshaking, .sniffing, .lingering:
            if now >= deadline { close() }
        case .http1:
            checkHTTP1(at: now)
        case .http2:
            checkHTTP2(at: now)
        case .closed:
            break
        }
    }
}
