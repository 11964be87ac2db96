import InferenceTypes
import WireProtocols

/// What streams ask of their connection, for both protocols.
extension ServerConnection {
    /// Everything that waits on this connection.
    public var bufferedBytes: Int {
        var sum = plain.count + outgoing.count
        guard stage == .http2 else { return sum }
        for case let stream? in streams { sum += http2?.bufferedBytes(slot: stream.slot) ?? 0 }
        return sum
    }

    func bufferedBytes(of stream: ServerStream) -> Int {
        if stage == .http2 || http2 != nil {
            return http2?.bufferedBytes(slot: stream.slot) ?? 0
        }
        return plain.count + outgoing.count
    }

    func respond(
        _ stream: ServerStream, status: Int, fields: borrowing FieldBlock, length: Int?
    ) {
        reactor.markDirty(self)
        guard stage == .http2 else {
            respondHTTP1(stream, status: status, fields: fields, length: length)
            return
        }
        // A HEAD's answer ends with its head, which needs no window.
        http2?.respond(
            slot: stream.slot, status: status, fields: fields, length: length,
            end: stream.isEnded || stream.isHeadRequest)
    }

    func send(_ stream: ServerStream, _ bytes: UnsafeRawBufferPointer, end: Bool) {
        // The first event of a stream follows its head in the same turn: that one is urgent.
        if end { reactor.markDirty(self) } else { reactor.markStreaming(self) }
        let bytes =
            stream.isHeadRequest ? UnsafeRawBufferPointer(start: nil, count: 0) : bytes
        if stage == .http2 {
            if stream.isHeadRequest { return }
            http2?.append(slot: stream.slot, bytes, end: end)
        } else {
            sendHTTP1(stream, bytes, end: end)
        }
    }

    func abort(_ stream: ServerStream, code: UInt32 = HTTP2Error.internalError) {
        if stage == .http2 {
            let wasOpen = !stream.isEnded
            stream.isEnded = true
            stream.isDead = true
            http2?.reset(slot: stream.slot, code: code)
            reactor.markDirty(self)
            if wasOpen { server.handler.gone(stream) }
        } else {
            // Where the end of the connection is the end of the body, an orderly one would make a
            // broken answer look whole.
            if stream.isCloseDelimited { Socket.resetOnClose(descriptor) }
            close()
        }
    }

    func notifyWhenDrained(_ stream: ServerStream) {
        if stage == .http2 {
            http2?.notifyWhenDrained(slot: stream.slot, at: server.lowWater)
        } else {
            stream.wantsDrain = true
        }
        reactor.markDirty(self)
    }
}
