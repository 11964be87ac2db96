import CNGHTTP2

/// RFC 9113 6.9.2: SETTINGS must not lift a stream's window above the largest there may be. It is
/// an error of the connection, of which the library makes one of the stream.
extension HTTP2Callbacks {
    static func beginFrame(
        _ session: OpaquePointer, _ head: UnsafePointer<nghttp2_frame_hd>,
        _ user: UnsafeMutableRawPointer
    ) -> Int32 {
        guard head.pointee.type == frameType.settings, head.pointee.flags & acknowledge == 0
        else { return 0 }
        let cell = user.assumingMemoryBound(to: HTTP2Cell.self)
        var widest = 0
        for slot in cell.pointee.slots where slot.pointee.streamID > 0 {
            let id = slot.pointee.streamID
            // A negative window is told as 0, from which no change can overflow.
            let window = nghttp2_session_get_stream_remote_window_size(session, id)
            widest = max(widest, Int(window))
        }
        cell.pointee.widestWindow = widest
        cell.pointee.initialWindow = initialWindow(session)
        return 0
    }

    static func settingsReceived(
        _ session: OpaquePointer, _ cell: UnsafeMutablePointer<HTTP2Cell>
    ) {
        let change = initialWindow(session) - cell.pointee.initialWindow
        if cell.pointee.widestWindow + change > HTTP2Session.largestWindow {
            cell.pointee.hasOverflownWindow = true
        }
    }

    private static func initialWindow(_ session: OpaquePointer) -> Int {
        Int(
            nghttp2_session_get_remote_settings(
                session, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE))
    }
}
