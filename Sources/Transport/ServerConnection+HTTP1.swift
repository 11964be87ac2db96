import InferenceTypes
import WireProtocols

/// HTTP/1.1's own state on a server connection: one request at a time, pipelined ones wait.
struct HTTP1ServerState {
    var parser: HTTP1RequestParser
    /// The request being read or answered.
    var stream: ServerStream?
    var keepsAlive = true
    var closesAfterResponse = false
    /// More of the request follows its head, as far as is known.
    var expectsBody = true
    init(limits: Limits) { parser = HTTP1RequestParser(limits: limits) }

    /// True while an answer is owed and further input must wait.
    var isHolding: Bool { stream?.isComplete ?? false }
}

extension ServerConnection {
    func receiveHTTP1(_ bytes: UnsafeRawBufferPointer) {
        if pending.isEmpty {
            let consumed = parseHTTP1(bytes)
            if consumed < bytes.count, stage == .http1 {
                pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[consumed...]))
            }
        } else {
            pending.append(contentsOf: bytes)
            parsePending()
        }
    }

    private func parsePending() {
        var held: [UInt8] = []
        swap(&held, &pending)
        let consumed = held.withUnsafeBytes { parseHTTP1($0) }
        guard stage == .http1 else { return }
        held.removeFirst(consumed)
        held.append(contentsOf: pending)
        swap(&held, &pending)
    }

    /// Parses as far as it may; returns how many bytes were used.
    private func parseHTTP1(_ bytes: UnsafeRawBufferPointer) -> Int {
        var offset = 0
        while stage == .http1, !closesAfterFlush, !http1.isHolding {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            if http1.stream == nil {
                guard !rest.isEmpty else { break }
                // Whoever pipelines without reading answers waits until he has read some.
                guard !isOutputFull else {
                    isParsePending = true
                    break
                }
                http1.stream = server.makeStream(for: self)
                http1.expectsBody = true
                deadline = reactor.now + server.limits.headerTimeout
            }
            guard let stream = http1.stream else { break }
            do {
                guard let used = try step(rest, stream) else { break }
                offset += used
            } catch {
                fail(stream, error)
                return bytes.count
            }
        }
        return closesAfterFlush ? bytes.count : offset
    }

    /// One step of the parser; `nil` if it wants more bytes.
    private func step(
        _ rest: UnsafeRawBufferPointer, _ stream: ServerStream
    ) throws(HTTP1Error) -> Int? {
        switch try http1.parser.next(rest, into: &stream.head) {
        case .needMore:
            return nil
        case .head(let consumed, let head):
            begin(stream, head)
            return consumed
        case .body(let range, let consumed):
            appendBody(UnsafeRawBufferPointer(rebasing: rest[range]), to: stream)
            return consumed
        case .end(let consumed):
            stream.isComplete = true
            if stream.isEnded {
                finishHTTP1(stream)
            } else if !stream.isAnswered, !stream.discardsBody {
                server.handler.request(stream)
            }
            return consumed
        }
    }

    private func begin(_ stream: ServerStream, _ head: HTTP1RequestHead) {
        http1.keepsAlive = head.keepAlive
        http1.expectsBody = head.hasBody
        stream.isCloseDelimited = head.minorVersion == 0
        stream.isHeadRequest = stream.head.value(of: ":method", begins: "HEAD", whole: true)
        deadline = reactor.now + server.limits.bodyTimeout
        if let length = head.contentLength, length > server.limits.requestBodyBytes {
            stream.discardsBody = true
            server.handler.refused(stream, .bodyTooLarge)
            return
        }
        offer(stream)
        if head.expectsContinue, !stream.isAnswered {
            plain.append(text: "HTTP/1.1 100 Continue\r\n\r\n")
            reactor.markDirty(self)
        }
    }

    private func fail(_ stream: ServerStream, _ error: HTTP1Error) {
        http1.keepsAlive = false
        mustLinger = true
        stream.discardsBody = true
        stream.isComplete = true
        if stream.isAnswered {
            close()
        } else {
            server.handler.refused(stream, .malformed(status: error.status))
            if !stream.isAnswered { close() }
        }
    }

    // MARK: Answering

    func respondHTTP1(
        _ stream: ServerStream, status: Int, fields: borrowing FieldBlock, length: Int?
    ) {
        if server.isDraining || http1.closesAfterResponse { http1.keepsAlive = false }
        if !stream.isComplete, http1.expectsBody {
            http1.keepsAlive = false
            mustLinger = true
        }
        let framing: HTTP1Framing
        if let length {
            framing = .length(length)
        } else if stream.isEnded {
            // These two statuses mean "no body" by themselves and must name no length.
            framing = status == 204 || status == 304 ? .close : .length(0)
        } else if stream.isCloseDelimited {
            framing = .close
            http1.keepsAlive = false
        } else {
            framing = .chunked
            stream.isChunked = true
        }
        reactor.text.removeAll(keepingCapacity: true)
        HTTP1Writer.appendResponseHead(
            to: &reactor.text, status: status, fields: fields, framing: framing,
            keepAlive: http1.keepsAlive, confirmsKeepAlive: stream.isCloseDelimited)
        reactor.text.withUnsafeBytes { plain.append($0) }
        if stream.isEnded { endHTTP1(stream) }
    }

    func sendHTTP1(_ stream: ServerStream, _ bytes: UnsafeRawBufferPointer, end: Bool) {
        if stream.isChunked {
            if !bytes.isEmpty {
                reactor.text.removeAll(keepingCapacity: true)
                HTTP1Writer.appendChunkSize(to: &reactor.text, bytes.count)
                reactor.text.withUnsafeBytes { plain.append($0) }
                plain.append(bytes)
                plain.append(text: "\r\n")
            }
            if end, !stream.isHeadRequest { plain.append(text: "0\r\n\r\n") }
        } else {
            plain.append(bytes)
        }
        if end { endHTTP1(stream) }
    }

    private func endHTTP1(_ stream: ServerStream) {
        if !http1.keepsAlive {
            closesAfterFlush = true
        } else if stream.isComplete {
            finishHTTP1(stream)
        }
    }

    /// The exchange is over and the connection goes on: the next request may be waiting.
    private func finishHTTP1(_ stream: ServerStream) {
        guard http1.stream === stream else { return }
        http1.stream = nil
        server.recycle(stream)
        deadline = reactor.now + server.limits.idleTimeout
        if !pending.isEmpty || hasUnread { reactor.runAgain(self) }
        isParsePending = !pending.isEmpty
    }

    /// After a flush: a stream that waited for room may go on.
    func http1Drained() {
        guard let stream = http1.stream, stream.wantsDrain, stage == .http1,
            plain.count + outgoing.count <= server.lowWater
        else { return }
        stream.wantsDrain = false
        server.handler.drained(stream)
    }

    /// Pipelined requests that waited for the answer before them.
    func resumeParsing() {
        isParsePending = false
        if stage == .http1, !pending.isEmpty, !http1.isHolding { parsePending() }
    }

    func checkHTTP1(at now: MonotonicTime) {
        guard let stream = http1.stream else {
            if !plain.isEmpty || !outgoing.isEmpty {
                // The last answer is still on its way: the client is not idle but slow.
                deadline = now + server.limits.idleTimeout
            } else if now >= deadline, !closesAfterFlush {
                closeAfterFlush()
                reactor.markDirty(self)
            }
            return
        }
        // A client that does not read its answer is the connection's business.
        if stream.isAnswered || stream.isComplete { return }
        let isOverdue = now - stream.openedAt > server.limits.bodyTotalTimeout
        if now >= deadline || isOverdue {
            http1.keepsAlive = false
            stream.discardsBody = true
            server.handler.refused(stream, .bodyTimeout)
        } else if !stream.body.isEmpty {
            deadline = stream.lastArrival + server.limits.bodyTimeout
        }
    }
}
