import CNGHTTP2

/// The linked libnghttp2.
public enum HTTP2Library {
    /// False if it lacks the fixes without which a peer can exhaust or abort the process.
    public static var isPatched: Bool { joulegate_nghttp2_is_patched() != 0 }
}

/// nghttp2's callbacks. Each one finds the cell behind `user_data`, notes what happened and
/// returns.
enum HTTP2Callbacks {
    static func makeSession(cell: UnsafeMutablePointer<HTTP2Cell>) -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks else { return nil }
        defer { nghttp2_session_callbacks_del(callbacks) }
        install(callbacks)

        var option: OpaquePointer?
        guard nghttp2_option_new(&option) == 0, let option else { return nil }
        defer { nghttp2_option_del(option) }
        joulegate_option_set_reset_rate(option, 100_000, 10_000)
        joulegate_option_set_max_continuations(option, 1_000)

        var session: OpaquePointer?
        // The cell holds the pool and with it the memory, and outlives the session.
        var memory = cell.pointee.pool.library.callbacks
        guard nghttp2_session_server_new3(&session, callbacks, cell, option, &memory) == 0
        else { return nil }
        return session
    }

    private static func install(_ callbacks: OpaquePointer) {
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { session, head, user in
            guard let session, let head, let user else { return 0 }
            return HTTP2Callbacks.beginFrame(session, head, user)
        }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) {
            session, frame, user in
            guard let session, let frame, let user else { return 0 }
            return HTTP2Callbacks.beginHeaders(session, frame, user)
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            session, frame, name, nameLength, value, valueLength, flags, user in
            guard let session, let frame, let user else { return 0 }
            return HTTP2Callbacks.header(
                session, frame,
                UnsafeRawBufferPointer(start: name, count: nameLength),
                UnsafeRawBufferPointer(start: value, count: valueLength), user)
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { session, frame, user in
            guard let session, let frame, let user else { return 0 }
            return HTTP2Callbacks.frameReceived(session, frame, user)
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            session, flags, id, data, length, user in
            guard let session, let data, let user else { return 0 }
            return HTTP2Callbacks.data(session, id, data, length, user)
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
            session, id, code, user in
            guard let session, let user else { return 0 }
            return HTTP2Callbacks.streamClosed(session, id, code, user)
        }
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) {
            session, frame, code, user in
            guard let cell = user?.assumingMemoryBound(to: HTTP2Cell.self) else { return 0 }
            cell.pointee.noteInvalidFrame()
            // A stream too many does not come to `beginHeaders`, but it was not passed over.
            if code == NGHTTP2_ERR_REFUSED_STREAM.rawValue {
                cell.pointee.headerFramesTaken &+= 1
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { session, frame, user in
            guard let session, let frame, let user else { return 0 }
            return HTTP2Callbacks.frameSent(session, frame, user)
        }
        nghttp2_session_callbacks_set_send_data_callback(callbacks) {
            _, _, head, length, source, user in
            HTTP2Callbacks.send(head, length, source, user)
        }
    }

    private static let frameHeadBytes = 9

    /// Frame types as bytes (RFC 9113 6): nghttp2's enum arrives as 32 bits.
    enum frameType {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let priority: UInt8 = 2
        static let rstStream: UInt8 = 3
        static let settings: UInt8 = 4
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    static let endStream: UInt8 = 0x1
    static let acknowledge: UInt8 = 0x1
    static let refusedStream: UInt32 = 0x7

    typealias Frame = UnsafePointer<nghttp2_frame>

    /// The stream's slot while the stream is open. What comes in for one stream mostly comes
    /// together: the last one is not looked for again.
    @inline(__always)
    private static func slot(
        _ session: OpaquePointer, _ id: Int32, _ cell: UnsafeMutablePointer<HTTP2Cell>
    ) -> UnsafeMutablePointer<HTTP2Slot>? {
        if let recent = cell.pointee.recent, recent.pointee.streamID == id { return recent }
        return find(session, id, cell)
    }

    private static func find(
        _ session: OpaquePointer, _ id: Int32, _ cell: UnsafeMutablePointer<HTTP2Cell>
    ) -> UnsafeMutablePointer<HTTP2Slot>? {
        let found = nghttp2_session_get_stream_user_data(session, id)?
            .assumingMemoryBound(to: HTTP2Slot.self)
        cell.pointee.recent = found
        return found
    }

    static func beginHeaders(
        _ session: OpaquePointer, _ frame: Frame, _ user: UnsafeMutableRawPointer
    ) -> Int32 {
        guard frame.pointee.hd.type == frameType.headers else { return 0 }
        let cell = user.assumingMemoryBound(to: HTTP2Cell.self)
        cell.pointee.headerFramesTaken &+= 1
        let id = frame.pointee.hd.stream_id
        guard frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST else {
            if let slot = slot(session, id, cell) {
                slot.pointee.fieldCount = 0
                slot.pointee.fieldBytes = 0
            }
            return 0
        }
        // The library enforces the announced limit only once the peer has acknowledged it.
        guard cell.pointee.active < cell.pointee.bounds.streams else {
            // Counted now, as it may never leave.
            cell.pointee.noteInvalidFrame()
            nghttp2_submit_rst_stream(session, 0, id, refusedStream)
            return 0
        }
        let slot = cell.pointee.claim()
        slot.pointee.streamID = id
        nghttp2_session_set_stream_user_data(session, id, UnsafeMutableRawPointer(slot))
        cell.pointee.recent = slot
        return 0
    }

    static func header(
        _ session: OpaquePointer, _ frame: Frame, _ name: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer, _ user: UnsafeMutableRawPointer
    ) -> Int32 {
        let cell = user.assumingMemoryBound(to: HTTP2Cell.self)
        guard frame.pointee.hd.type == frameType.headers,
            let slot = slot(session, frame.pointee.hd.stream_id, cell)
        else { return 0 }
        // Charged before it is copied: a bomb of tiny references costs counting, not memory.
        slot.pointee.fieldCount &+= 1
        slot.pointee.fieldBytes &+= name.count &+ value.count &+ 32
        guard frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST else {
            let isOver =
                slot.pointee.fieldCount > cell.pointee.bounds.trailerFields
                || slot.pointee.fieldBytes > cell.pointee.bounds.trailerBytes
            guard isOver else { return 0 }
            // The library resets the stream as if the fault were ours.
            cell.pointee.glitches &+= 1
            return Int32(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        if slot.pointee.fieldCount > cell.pointee.bounds.fields
            || slot.pointee.fieldBytes > cell.pointee.bounds.fieldBytes
        {
            return overLimit(slot, cell)
        }
        slot.pointee.head.append(name: name, value: value)
        return 0
    }

    /// A head a little over the limits is read to its end, so that it can be answered with 431.
    /// One far over them is no mistake: the library resets the stream and decodes the rest without
    /// calling here.
    private static func overLimit(
        _ slot: UnsafeMutablePointer<HTTP2Slot>, _ cell: UnsafeMutablePointer<HTTP2Cell>
    ) -> Int32 {
        if !slot.pointee.isOverLimit {
            slot.pointee.isOverLimit = true
            slot.pointee.head.removeAll()
            cell.pointee.glitches &+= 1
        }
        let isFarOver =
            slot.pointee.fieldCount / 8 > cell.pointee.bounds.fields
            || slot.pointee.fieldBytes / 8 > cell.pointee.bounds.fieldBytes
        return isFarOver ? Int32(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) : 0
    }

    static func frameReceived(
        _ session: OpaquePointer, _ frame: Frame, _ user: UnsafeMutableRawPointer
    ) -> Int32 {
        let cell = user.assumingMemoryBound(to: HTTP2Cell.self)
        let header = frame.pointee.hd
        switch header.type {
        case frameType.headers:
            guard let slot = slot(session, header.stream_id, cell) else { return 0 }
            if frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
                cell.pointee.events.append(HTTP2Event(kind: .head, slot: slot.pointee.index))
            }
            if header.flags & endStream != 0 {
                cell.pointee.events.append(HTTP2Event(kind: .end, slot: slot.pointee.index))
            }
        case frameType.data:
            if header.flags & endStream != 0 {
                guard let slot = slot(session, header.stream_id, cell) else { return 0 }
                cell.pointee.events.append(HTTP2Event(kind: .end, slot: slot.pointee.index))
            } else if header.length <= frame.pointee.data.padlen {
                // Nothing in it, or nothing but padding.
                cell.pointee.glitches &+= 1
            }
        case frameType.settings:
            if header.flags & acknowledge == 0 { settingsReceived(session, cell) }
        case frameType.rstStream:
            if let slot = slot(session, header.stream_id, cell) {
                slot.pointee.isResetByPeer = true
            } else {
                cell.pointee.lateResets &+= 1
            }
        default:
            break
        }
        return 0
    }

    static func frameSent(
        _ session: OpaquePointer, _ frame: Frame, _ user: UnsafeMutableRawPointer
    ) -> Int32 {
        let cell = user.assumingMemoryBound(to: HTTP2Cell.self)
        let header = frame.pointee.hd
        cell.pointee.hasSentFrames = true
        switch header.type {
        case frameType.rstStream:
            cell.pointee.noteResetSent(code: frame.pointee.rst_stream.error_code)
        case frameType.data, frameType.headers:
            if header.type == frameType.data { cell.pointee.noteSent(bytes: header.length) }
            if header.flags & endStream != 0, let slot = slot(session, header.stream_id, cell) {
                cell.pointee.events.append(HTTP2Event(kind: .answered, slot: slot.pointee.index))
            }
        default:
            break
        }
        return 0
    }

    static func data(
        _ session: OpaquePointer, _ id: Int32, _ data: UnsafePointer<UInt8>, _ length: Int,
        _ user: UnsafeMutableRawPointer
    ) -> Int32 {
        let cell = user.assumingMemoryBound(to: HTTP2Cell.self)
        guard let base = cell.pointee.inputBase, let slot = slot(session, id, cell)
        else { return 0 }
        let start = UnsafeRawPointer(data) - base
        // nghttp2 hands DATA out of the caller's own bytes; anything else would be a new library.
        guard start >= 0, length <= cell.pointee.inputCount - start else {
            return Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
        }
        cell.pointee.events.append(
            HTTP2Event(kind: .data, slot: slot.pointee.index, range: start..<start + length))
        return 0
    }

    static func streamClosed(
        _ session: OpaquePointer, _ id: Int32, _ code: UInt32, _ user: UnsafeMutableRawPointer
    ) -> Int32 {
        let cell = user.assumingMemoryBound(to: HTTP2Cell.self)
        guard let slot = slot(session, id, cell) else { return 0 }
        // The library knows the stream no more, though its slot is taken for a while.
        cell.pointee.recent = nil
        cell.pointee.events.append(
            HTTP2Event(
                kind: .closed, slot: slot.pointee.index, code: code,
                cause: slot.pointee.cause(code: code)))
        return 0
    }

    /// nghttp2 asks for up to `length` payload bytes of one stream. It is told how many there are;
    /// `send` takes them from where they lie, as they would be copied twice otherwise.
    static func read(
        _ buffer: UnsafeMutablePointer<UInt8>?, _ length: Int,
        _ flags: UnsafeMutablePointer<UInt32>?,
        _ source: UnsafeMutablePointer<nghttp2_data_source>?,
        _ user: UnsafeMutableRawPointer?
    ) -> Int {
        guard let flags, let user,
            let slot = source?.pointee.ptr?.assumingMemoryBound(to: HTTP2Slot.self)
        else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
        let cell = user.assumingMemoryBound(to: HTTP2Cell.self)
        guard cell.pointee.hasRoomOut else { return Int(NGHTTP2_ERR_PAUSE.rawValue) }
        let available = slot.pointee.out.count
        let count = min(available, length)
        if count == 0, !slot.pointee.isEnded {
            slot.pointee.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if slot.pointee.isEnded, available == count {
            flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        }
        return count
    }

    /// A DATA frame leaves: its head, and the payload that `read` counted.
    private static func send(
        _ head: UnsafePointer<UInt8>?, _ count: Int,
        _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ user: UnsafeMutableRawPointer?
    ) -> Int32 {
        guard let head, let cell = user?.assumingMemoryBound(to: HTTP2Cell.self),
            let target = cell.pointee.target,
            let slot = source?.pointee.ptr?.assumingMemoryBound(to: HTTP2Slot.self),
            count <= slot.pointee.out.count
        else { return Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
        let room = target.pointee.reserve(frameHeadBytes + count)
        room.copyMemory(from: head, byteCount: frameHeadBytes)
        if count > 0 {
            slot.pointee.out.move(count, to: room + frameHeadBytes)
            slot.pointee.sentBytes += count
        }
        target.pointee.commit(frameHeadBytes + count)
        if slot.pointee.wantsDrain, slot.pointee.out.count <= cell.pointee.lowWater {
            slot.pointee.wantsDrain = false
            cell.pointee.events.append(HTTP2Event(kind: .drained, slot: slot.pointee.index))
        }
        return 0
    }
}
