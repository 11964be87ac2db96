import InferenceTypes
import WireProtocols

/// One request and its response, whichever protocol carries it. Objects are pooled: after the
/// response was ended, or `gone` was called, the handler drops its reference.
public final class ServerStream {
    /// Names with a leading colon first; see ``FieldBlock``.
    public internal(set) var head = FieldBlock()
    public internal(set) var body: [UInt8] = []
    /// The handler's own object for this exchange, if it has one.
    public var exchange: AnyObject?
    /// A small number of the handler's own.
    public var tag = 0

    /// Response state, in order: a head can be sent once, an end once.
    public internal(set) var isAnswered = false
    public internal(set) var isEnded = false
    /// The whole request has arrived.
    public internal(set) var isComplete = false
    /// Nothing more can be sent: the client is gone or the stream was reset.
    public internal(set) var isDead = false

    var connection: ServerConnection?
    var slot = 0
    /// HTTP/1.1 only: the response's length is not known, so it goes out in chunks.
    var isChunked = false
    /// HTTP/1.0 without a length: the end of the connection ends the body.
    var isCloseDelimited = false
    var isHeadRequest = false
    var wantsDrain = false
    /// The request body is thrown away: it was too long or the answer is already out.
    var discardsBody = false
    var openedAt = MonotonicTime.zero
    /// What the request body is charged with in its process' budget, bytes of memory.
    var chargedBytes = 0
    /// When a piece of the request came last.
    var lastArrival = MonotonicTime.zero
    /// When the response was last seen to move, and how far it had come.
    var lastDeparture = MonotonicTime.zero
    var lastSent = 0

    init() {}

    func reset() {
        head.removeAll()
        // One large body must not pin its memory to a pooled object.
        if body.capacity > 64 << 10 { body = [] } else { body.removeAll(keepingCapacity: true) }
        exchange = nil
        tag = 0
        isAnswered = false
        isEnded = false
        isComplete = false
        isDead = false
        connection = nil
        slot = 0
        isChunked = false
        isCloseDelimited = false
        isHeadRequest = false
        wantsDrain = false
        discardsBody = false
    }

    /// HTTP/2 only: nothing of the answer is left to be sent.
    var isWholeOnTheWire: Bool { isEnded || isHeadRequest && isAnswered }

    public var isHTTP2: Bool { connection?.isHTTP2 ?? false }

    /// Bytes that were sent here and have not left for the client's side of the wire yet.
    public var bufferedBytes: Int { connection?.bufferedBytes(of: self) ?? 0 }

    /// Sends the response head. `fields` holds no `:status` and no framing fields; `length` is the
    /// body's length if it is known. With `end`, there is no body. The answer to a HEAD request is
    /// sent and ended like any other; its body goes nowhere.
    public func respond(
        status: Int, fields: borrowing FieldBlock, length: Int? = nil, end: Bool = false
    ) {
        guard !isAnswered, !isDead, let connection else { return }
        isAnswered = true
        if end { isEnded = true }
        connection.respond(self, status: status, fields: fields, length: length)
    }

    /// Sends body bytes; with `end` they are the last.
    public func send(_ bytes: UnsafeRawBufferPointer, end: Bool = false) {
        guard isAnswered, !isEnded, !isDead, let connection else { return }
        if end { isEnded = true }
        connection.send(self, bytes, end: end)
    }

    public func finish() { send(UnsafeRawBufferPointer(start: nil, count: 0), end: true) }

    /// Ends the stream as broken: RST_STREAM in HTTP/2, a closed connection in HTTP/1.1.
    public func abort() {
        guard !isDead, let connection else { return }
        connection.abort(self)
    }

    /// Frees the request body, which only a further attempt would have needed.
    public func dropBody() {
        body = []
        connection?.server.chargeBody(of: self)
    }

    /// So much waits for the client that whoever feeds the stream should wait for
    /// `ServerHandler.drained`.
    public var isFull: Bool {
        guard let connection else { return false }
        return connection.bufferedBytes(of: self) > connection.server.highWater
    }

    /// Asks for one `ServerHandler.drained` when the buffer is low.
    public func notifyWhenDrained() {
        guard !isDead, let connection else { return }
        connection.notifyWhenDrained(self)
    }
}
