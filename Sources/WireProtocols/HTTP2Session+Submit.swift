import CNGHTTP2

extension HTTP2Session {
    /// True if the peer has sent all of the request, or the stream is gone.
    public func isRequestOver(slot: Int) -> Bool {
        nghttp2_session_get_stream_remote_close(
            session, cell.pointee.slots[slot].pointee.streamID) != 0
    }

    /// Queues a head of status 100 (RFC 9110 15.2.1), before the one that `respond` queues.
    public mutating func sendContinue(slot: Int) {
        let pointer = cell.pointee.slots[slot]
        guard pointer.pointee.streamID > 0 else { return }
        var fields = FieldBlock()
        fields.append(name: ":status", value: "100")
        fields.withNameValues { pairs in
            nghttp2_submit_headers(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), pointer.pointee.streamID, nil,
                pairs.baseAddress, pairs.count, nil)
        }
    }

    /// Builds nghttp2's name-value array over the block's own bytes: the library copies them.
    func submit(
        _ slot: UnsafeMutablePointer<HTTP2Slot>, _ fields: borrowing FieldBlock, hasBody: Bool
    ) {
        let id = slot.pointee.streamID
        let session = self.session
        fields.withNameValues { pairs in
            guard hasBody else {
                nghttp2_submit_response(session, id, pairs.baseAddress, pairs.count, nil)
                return
            }
            var provider = nghttp2_data_provider()
            provider.source.ptr = UnsafeMutableRawPointer(slot)
            provider.read_callback = { session, id, buffer, length, flags, source, user in
                HTTP2Callbacks.read(buffer, length, flags, source, user)
            }
            nghttp2_submit_response(session, id, pairs.baseAddress, pairs.count, &provider)
        }
    }
}

extension FieldBlock {
    /// The block as nghttp2 wants it; valid during the call only.
    func withNameValues(_ body: (UnsafeBufferPointer<nghttp2_nv>) -> Void) {
        withBytes { raw in
            guard let base = raw.baseAddress else { return }
            let start = UnsafeMutableRawPointer(mutating: base).assumingMemoryBound(to: UInt8.self)
            withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: count) { pairs in
                for index in 0..<count {
                    let field = field(at: index)
                    let pair = nghttp2_nv(
                        name: start + Int(field.nameStart), value: start + Int(field.valueStart),
                        namelen: Int(field.nameLength), valuelen: Int(field.valueLength),
                        flags: compressionFlags(ofFieldAt: index))
                    (pairs.baseAddress! + index).initialize(to: pair)
                }
                body(UnsafeBufferPointer(start: pairs.baseAddress, count: count))
            }
        }
    }

    /// A value that never comes again must stay out of the compression table: fifty old request
    /// ids would fill it, and each new one be compared with all of them.
    private func compressionFlags(ofFieldAt index: Int) -> UInt8 {
        let isUnique = name(at: index, equals: "x-request-id")
        let flag = isUnique ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE
        return UInt8(flag.rawValue)
    }
}
