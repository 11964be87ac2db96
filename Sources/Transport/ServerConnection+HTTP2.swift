import InferenceTypes
import WireProtocols

/// HTTP/2 on a server connection: session events to streams, streams to the session.
extension ServerConnection {
    /// Bytes given to the session at once: between two such pieces its answers may leave, and the
    /// client's conduct is looked at.
    private static let receiveStep = 16 << 10
    /// Frames that may wait in the session until the turn ends.
    private static let waitingFrames = 64
    /// Frames serialised for one write.
    private static let writeStep = 64 << 10

    func startHTTP2() {
        guard let session = HTTP2Session(limits: server.limits, pool: reactor.blocks) else {
            close()
            return
        }
        http2 = consume session
        stage = .http2
        deadline = reactor.now + server.limits.firstRequestTimeout
        if server.isDraining { drain() }
        reactor.markDirty(self)
    }

    func receiveHTTP2(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty, stage == .http2, !closesAfterFlush {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.receiveStep))
            rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
            do {
                try http2?.receive(piece)
            } catch {
                expel(code: error.code)
                return
            }
            walkEvents(piece)
            guard let signs = http2?.signs else { return }
            guard conduct.isSound(signs, at: reactor.now) else {
                expel()
                return
            }
            // A read may hold more questions than the session can keep answers to.
            if (http2?.outboundFrames ?? 0) > Self.waitingFrames { flushHTTP2() }
        }
        reactor.markDirty(self)
    }

    private func walkEvents(_ input: UnsafeRawBufferPointer) {
        guard http2?.hasEvents == true else { return }
        var events: [HTTP2Event] = []
        swap(&events, &reactor.spareEvents)
        http2?.takeEvents(into: &events)
        for event in events where stage == .http2 { walk(event, input) }
        events.removeAll(keepingCapacity: true)
        swap(&events, &reactor.spareEvents)
    }

    private func walk(_ event: HTTP2Event, _ input: UnsafeRawBufferPointer) {
        switch event.kind {
        case .head:
            open(slot: event.slot)
        case .data:
            guard let stream = stream(event.slot) else { return }
            appendBody(UnsafeRawBufferPointer(rebasing: input[event.range]), to: stream)
        case .end:
            guard let stream = stream(event.slot) else { return }
            stream.isComplete = true
            if !stream.isAnswered, !stream.discardsBody { server.handler.request(stream) }
        case .closed:
            let stream = stream(event.slot)
            if event.slot < streams.count { streams[event.slot] = nil }
            let isWell = event.code == 0 && stream?.isWholeOnTheWire == true
            conduct.streamEnded(
                event.cause, isWell: isWell,
                age: stream.map { reactor.now - $0.openedAt } ?? .zero)
            // The slot's buffer dies with it, so what the stream still held is asked first.
            if let stream { drop(stream) }
            http2?.release(slot: event.slot)
            deadline = reactor.now + server.limits.idleTimeout
        case .drained:
            guard let stream = stream(event.slot), !stream.isDead else { return }
            server.handler.drained(stream)
        case .answered:
            // The answer is out before the request is in: no use for the rest of it.
            guard event.slot < streams.count, streams[event.slot]?.isComplete == false
            else { return }
            http2?.reset(slot: event.slot, code: HTTP2Error.none)
            reactor.markDirty(self)
        }
    }

    private func stream(_ slot: Int) -> ServerStream? {
        slot < streams.count ? streams[slot] : nil
    }

    private func open(slot: Int) {
        let stream = server.makeStream(for: self)
        stream.slot = slot
        while streams.count <= slot { streams.append(nil) }
        streams[slot] = stream
        if http2?.isOverLimit(slot: slot) == true {
            stream.discardsBody = true
            server.handler.refused(stream, .headTooLarge)
            return
        }
        http2?.swapHead(slot: slot, with: &stream.head)
        stream.isHeadRequest = stream.head.value(of: ":method", begins: "HEAD", whole: true)
        guard http2?.isRequestOver(slot: slot) == false else {
            offer(stream)
            return
        }
        if stream.head.contentLength ?? 0 > server.limits.requestBodyBytes {
            stream.discardsBody = true
            server.handler.refused(stream, .bodyTooLarge)
            return
        }
        offer(stream)
        if stream.head.expectsContinue, !stream.isAnswered {
            http2?.sendContinue(slot: slot)
            reactor.markDirty(self)
        }
    }

    /// Shows a request's head to the handler, after the checks both protocols share.
    func offer(_ stream: ServerStream) {
        let pathLength = stream.head.withValue(of: ":path") { $0.count } ?? 0
        if pathLength > server.limits.uriBytes {
            stream.discardsBody = true
            server.handler.refused(stream, .uriTooLong)
            return
        }
        if !stream.head.hasSoundTarget {
            stream.discardsBody = true
            server.handler.refused(stream, .malformed(status: 400))
            return
        }
        server.handler.head(stream)
    }

    func appendBody(_ bytes: UnsafeRawBufferPointer, to stream: ServerStream) {
        guard !stream.discardsBody, !stream.isEnded, !stream.isDead else { return }
        guard stream.body.count + bytes.count <= server.limits.requestBodyBytes else {
            refuseBody(of: stream, .bodyTooLarge)
            return
        }
        guard !server.bodies.isExceeded else {
            refuseBody(of: stream, .overloaded)
            return
        }
        stream.body.append(contentsOf: bytes)
        stream.lastArrival = reactor.now
        server.chargeBody(of: stream)
    }

    private func refuseBody(of stream: ServerStream, _ refusal: RequestRefusal) {
        stream.discardsBody = true
        stream.dropBody()
        server.handler.refused(stream, refusal)
    }

    // MARK: Writing

    func flushHTTP2() {
        while stage == .http2, isWritable {
            guard writeOut(&outgoing) else {
                lost()
                return
            }
            guard isWritable else { break }
            guard http2?.fill(&reactor.scratch, limit: Self.writeStep) == true else {
                close()
                return
            }
            let isDone = reactor.scratch.isEmpty
            guard writeFrames() else {
                reactor.scratch.clear()
                lost()
                return
            }
            walkEvents(UnsafeRawBufferPointer(start: nil, count: 0))
            if isDone { break }
        }
        guard stage == .http2, http2?.isFinished == true else { return }
        // Streams that are still open then will never end: the client broke the protocol.
        if http2?.activeStreams ?? 0 > 0 { closeAfterFlush() } else { closesAfterFlush = true }
    }

    /// Sends the frames in the reactor's scratch buffer and empties it; what the socket does not
    /// take moves to the connection's own queue.
    private func writeFrames() -> Bool {
        if hasTLS {
            if !reactor.scratch.isEmpty { encrypt(reactor.scratch.readable) }
            reactor.scratch.clear()
            tls?.takeOutput(into: &outgoing)
            return writeOut(&outgoing)
        }
        guard !reactor.scratch.isEmpty else { return true }
        switch Socket.write(descriptor, reactor.scratch.readable) {
        case .bytes(let count): reactor.scratch.consume(count)
        case .wouldBlock: break
        case .closed, .failed: return false
        }
        noteWrite(isBlocked: !reactor.scratch.isEmpty)
        outgoing.append(reactor.scratch.readable)
        reactor.scratch.clear()
        return true
    }

    /// Names the last stream that will be answered.
    func sayGoodbye() {
        guard stage == .http2 else { return }
        goAwayAt = nil
        http2?.goAway()
        reactor.markDirty(self)
    }

    func checkHTTP2(at now: MonotonicTime) {
        if let due = goAwayAt, now >= due {
            goAwayAt = nil
            http2?.goAway()
            reactor.markDirty(self)
        }
        guard conduct.timeWithinPart(at: now) <= server.limits.headerTimeout else {
            expel()
            return
        }
        var isBusy = false
        for case let stream? in streams {
            isBusy = true
            if isBodyLate(stream, at: now) {
                stream.discardsBody = true
                server.handler.refused(stream, .bodyTimeout)
            } else if isStalled(stream, at: now) {
                abort(stream, code: HTTP2Error.cancel)
            }
        }
        if isBusy {
            deadline = now + server.limits.idleTimeout
        } else if now >= deadline, !closesAfterFlush {
            http2?.goAway()
            closeAfterFlush()
            reactor.markDirty(self)
        }
    }

    /// True if the client owes a part of its request for too long.
    func isBodyLate(_ stream: ServerStream, at now: MonotonicTime) -> Bool {
        guard !stream.isComplete, !stream.isEnded else { return false }
        return now - stream.lastArrival > server.limits.bodyTimeout
            || now - stream.openedAt > server.limits.bodyTotalTimeout
    }

    /// True if `stream` has held bytes for the stall deadline and too few have left: the client
    /// opens no window for it, or one byte at a time.
    private func isStalled(_ stream: ServerStream, at now: MonotonicTime) -> Bool {
        let sent = http2?.sentBytes(slot: stream.slot) ?? 0
        if bufferedBytes(of: stream) == 0 || sent - stream.lastSent >= server.limits.stallBytes {
            stream.lastDeparture = now
            stream.lastSent = sent
        }
        return now - stream.lastDeparture > server.limits.stallTimeout
    }
}
