import CNGHTTP2
import InferenceTypes

/// The server side of one HTTP/2 connection (RFC 9113), bytes in, events and bytes out. libnghttp2
/// does framing, HPACK and flow control; this type gives it memory, limits and a Swift face.
///
/// Use: `receive` the peer's bytes, then `takeEvents`; `respond` and `append` on slots; `fill`
/// until it gives nothing more, write what it gave, and `takeEvents` again. Nothing here blocks,
/// reads a clock or touches a socket.
public struct HTTP2Session: ~Copyable {
    public enum Failure: Error, Equatable {
        /// The peer's bytes are not HTTP/2, or the library gave up: close at once.
        case unusable(code: Int)
        /// Too many answers that the peer does not read: close, whether or not it will.
        case abusive
        /// The peer broke the protocol in a way that the library does not see: close.
        case violation(HTTP2ErrorCode)

        /// What to tell the peer, as RFC 9113 7 has it.
        public var code: UInt32 {
            switch self {
            case .unusable(let code) where code == Int(NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue):
                HTTP2ErrorCode.protocolError.rawValue
            case .violation(let error): error.rawValue
            case .unusable, .abusive: HTTP2ErrorCode.enhanceYourCalm.rawValue
            }
        }
    }

    let session: OpaquePointer
    let cell: UnsafeMutablePointer<HTTP2Cell>
    /// Behind a pointer like the cell: the session is asked many small things for each stream, and
    /// is moved for some of them.
    private let scanner: UnsafeMutablePointer<HTTP2FrameScanner>

    /// `nil` only if memory ran out. Response bytes wait in blocks of `pool`.
    public init?(limits: Limits, pool: BlockPool = BlockPool()) {
        let cell = UnsafeMutablePointer<HTTP2Cell>.allocate(capacity: 1)
        cell.initialize(to: HTTP2Cell(limits: limits, pool: pool))
        guard let session = HTTP2Callbacks.makeSession(cell: cell) else {
            cell.deinitialize(count: 1)
            cell.deallocate()
            return nil
        }
        self.session = session
        self.cell = cell
        scanner = .allocate(capacity: 1)
        scanner.initialize(to: HTTP2FrameScanner())
        submitSettings(limits)
    }

    deinit {
        // nghttp2_session_del closes streams without callbacks: the cell outlives it by one line.
        nghttp2_session_del(session)
        cell.deinitialize(count: 1)
        cell.deallocate()
        scanner.deinitialize(count: 1)
        scanner.deallocate()
    }

    private func submitSettings(_ limits: Limits) {
        let settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
                value: UInt32(clamping: limits.concurrentStreams)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
                value: UInt32(HTTP2Session.streamWindow)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(clamping: limits.headerListBytes)),
        ]
        nghttp2_submit_settings(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count)
        nghttp2_session_set_local_window_size(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, HTTP2Session.connectionWindow)
    }

    /// Receive window of a stream and of the connection, bytes: a prompt of a few hundred KiB
    /// arrives in one round trip, and 100 streams cannot have more than 1 MiB in flight.
    static let streamWindow: Int32 = 256 << 10
    static let connectionWindow: Int32 = 1 << 20
    /// No window may be wider (RFC 9113 6.9.1).
    static let largestWindow = 1 << 31 - 1

    // MARK: Bytes in

    /// Takes in the peer's bytes. If they break the protocol, nghttp2 queues a GOAWAY and ignores
    /// the rest; the session is ``isFinished`` once that has left. Data events refer to them by
    /// range, so they must stay in place until the events were walked.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        let cell = self.cell
        scanner.pointee.scan(bytes) { cell.pointee.note($0) }
        // Before the library sees any of it: what came along with the fault is not taken up.
        if let error = scanner.pointee.violation { throw .violation(error) }
        cell.pointee.inputBase = base
        cell.pointee.inputCount = bytes.count
        let taken = nghttp2_session_mem_recv(
            session, base.assumingMemoryBound(to: UInt8.self), bytes.count)
        cell.pointee.inputBase = nil
        if taken < 0 { throw .unusable(code: Int(taken)) }
        if cell.pointee.hasOverflownWindow { throw .violation(.flowControlError) }
        cell.pointee.noteHeaderFrames(scanner.pointee.headerFrames)
        if scanner.pointee.hasUsedSkippedStream {
            // The library passes over such a block; RFC 9113 5.1.1 wants the connection ended.
            nghttp2_session_terminate_session2(
                session, nghttp2_session_get_last_proc_stream_id(session),
                UInt32(NGHTTP2_PROTOCOL_ERROR.rawValue))
        }
        if outboundFrames > cell.pointee.bounds.outboundFrames { throw .abusive }
    }

    /// What there is to say about the peer's conduct.
    public struct Signs: Sendable {
        /// Suspicious frames so far: resets of the peer's own are none.
        public var glitches = 0
        /// Resets, so far, of streams that were over.
        public var lateResets = 0
        /// Numbers the header blocks and the frames without a body as they begin.
        public var part = 0
        /// The one that `part` numbers has begun and is not whole.
        public var isWithinPart = false
    }

    public var signs: Signs {
        Signs(
            glitches: cell.pointee.glitches, lateResets: cell.pointee.lateResets,
            part: scanner.pointee.part, isWithinPart: scanner.pointee.isWithinPart)
    }

    /// Frames that wait to be sent, bodies aside.
    public var outboundFrames: Int { nghttp2_session_get_outbound_queue_size(session) }

    /// Moves what happened since the last call into `events` (emptied first), by swapping the two
    /// arrays: neither is copied or freed.
    public mutating func takeEvents(into events: inout [HTTP2Event]) {
        events.removeAll(keepingCapacity: true)
        swap(&cell.pointee.events, &events)
    }

    public var hasEvents: Bool { !cell.pointee.events.isEmpty }

    /// Streams that are open now.
    public var activeStreams: Int { cell.pointee.active }

    /// True once neither side has anything to say: close the connection.
    public var isFinished: Bool {
        nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
    }

    /// True if the request's head broke the header limits: answer 431, its fields are gone.
    public func isOverLimit(slot: Int) -> Bool { cell.pointee.slots[slot].pointee.isOverLimit }

    /// Hands the request's head to the caller by swapping blocks, so that no field is copied.
    public mutating func swapHead(slot: Int, with block: inout FieldBlock) {
        cell.pointee.slots[slot].pointee.head.exchange(with: &block)
    }

    // MARK: Responses

    /// Queues a response head. `fields` holds neither `:status` nor `content-length`; `length` is
    /// the body's, if it is known.
    public mutating func respond(
        slot: Int, status: Int, fields: borrowing FieldBlock, length: Int? = nil, end: Bool
    ) {
        let pointer = cell.pointee.slots[slot]
        guard pointer.pointee.streamID > 0 else { return }
        pointer.pointee.isEnded = end
        submit(pointer, status: status, fields, length: length, hasBody: !end)
    }

    /// Appends response bytes; they leave with a later `fill` as the peer's windows allow.
    public mutating func append(slot: Int, _ bytes: UnsafeRawBufferPointer, end: Bool) {
        let pointer = cell.pointee.slots[slot]
        guard pointer.pointee.streamID > 0 else { return }
        pointer.pointee.out.append(bytes)
        if end { pointer.pointee.isEnded = true }
        if pointer.pointee.isDeferred {
            pointer.pointee.isDeferred = false
            nghttp2_session_resume_data(session, pointer.pointee.streamID)
        }
    }

    /// Bytes that wait for the peer to read.
    public func bufferedBytes(slot: Int) -> Int { cell.pointee.slots[slot].pointee.out.count }

    /// Response body bytes that have left since the stream began: while they grow, the peer reads.
    public func sentBytes(slot: Int) -> Int { cell.pointee.slots[slot].pointee.sentBytes }

    /// Asks for one ``HTTP2Event/Kind/drained`` when the stream's buffer holds at most `lowWater`
    /// bytes; at once if it does. The last value asked for holds for all streams.
    public mutating func notifyWhenDrained(slot: Int, at lowWater: Int = 16 << 10) {
        cell.pointee.lowWater = lowWater
        let pointer = cell.pointee.slots[slot]
        // nghttp2 reads no more from an empty buffer, so nobody else would tell.
        if pointer.pointee.out.count <= cell.pointee.lowWater {
            cell.pointee.events.append(HTTP2Event(kind: .drained, slot: slot))
        } else {
            pointer.pointee.wantsDrain = true
        }
    }

    public mutating func reset(slot: Int, code: UInt32) {
        let id = cell.pointee.slots[slot].pointee.streamID
        guard id > 0 else { return }
        cell.pointee.slots[slot].pointee.isResetByUs = true
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code)
    }

    /// Gives a slot back after its `closed` event was seen.
    public mutating func release(slot: Int) { cell.pointee.release(slot) }

    // MARK: Going away

    /// First step of a graceful stop: tells the peer to open no more streams, refuses none yet.
    public mutating func announceShutdown() {
        nghttp2_submit_shutdown_notice(session)
        nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
    }

    /// Second step, a round trip later: names the last stream that will be answered.
    public mutating func goAway(code: UInt32 = 0) {
        nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue),
            nghttp2_session_get_last_proc_stream_id(session), code, nil, 0)
    }

    /// A GOAWAY to send by hand behind what `fill` gave, once the session itself is given up. Our
    /// SETTINGS come first in any case (RFC 9113 3.4).
    public mutating func lastFrames(code: UInt32) -> [UInt8] {
        var first = ByteQueue()
        // The library gives one frame at a time, and SETTINGS were the first to be queued.
        if !cell.pointee.hasSentFrames { _ = fill(&first, limit: 1) }
        let last = UInt32(truncatingIfNeeded: nghttp2_session_get_last_proc_stream_id(session))
        return Array(first.readable)
            + [0, 0, 8, HTTP2Callbacks.frameType.goAway, 0, 0, 0, 0, 0]
            + [last, code].flatMap { word in
                [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
            }
    }

    // MARK: Bytes out

    /// Serialises frames into `target` until it holds `limit` bytes or nothing is left to send.
    /// Returns false if the library failed (memory).
    public mutating func fill(_ target: inout ByteQueue, limit: Int) -> Bool {
        let (session, cell) = (self.session, self.cell)
        return withUnsafeMutablePointer(to: &target) { target in
            cell.pointee.target = target
            cell.pointee.targetLimit = limit
            defer { cell.pointee.target = nil }
            while target.pointee.count < limit {
                var bytes: UnsafePointer<UInt8>?
                let count = nghttp2_session_mem_send(session, &bytes)
                if count < 0 { return false }
                // DATA frames that came before these bytes are in the target already.
                guard count > 0, let bytes else { return true }
                target.pointee.append(UnsafeRawBufferPointer(start: bytes, count: count))
            }
            return true
        }
    }
}
