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
        FieldBlock().withNameValues(status: 100, length: nil) { pairs in
            nghttp2_submit_headers(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), pointer.pointee.streamID, nil,
                pairs.baseAddress, pairs.count, nil)
        }
    }

    /// Builds nghttp2's name-value array over the block's own bytes: the library copies them.
    func submit(
        _ slot: UnsafeMutablePointer<HTTP2Slot>, status: Int, _ fields: borrowing FieldBlock,
        length: Int?, hasBody: Bool
    ) {
        let id = slot.pointee.streamID
        let session = self.session
        fields.withNameValues(status: status, length: length) { pairs in
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
    /// Room for a decimal number.
    private static let digits = 24

    /// A response's fields as nghttp2 wants them: the status, the block, the length if there is
    /// one. Valid during the call only.
    func withNameValues(
        status: Int, length: Int?, _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Void
    ) {
        withUnsafeTemporaryAllocation(byteCount: 2 * Self.digits, alignment: 8) { numbers in
            withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: count + 2) { pairs in
                pairs.initializeElement(
                    at: 0,
                    to: Self.pair(
                        ":status",
                        HTTP1Writer.decimal(
                            status, in: .init(rebasing: numbers[..<Self.digits]))))
                var filled = 1 + addPairs(to: .init(rebasing: pairs[1...]))
                if let length {
                    pairs.initializeElement(
                        at: filled,
                        to: Self.pair(
                            "content-length",
                            HTTP1Writer.decimal(
                                length, in: .init(rebasing: numbers[Self.digits...]))))
                    filled += 1
                }
                body(UnsafeBufferPointer(rebasing: pairs[..<filled]))
            }
        }
    }

    /// Initializes as many pairs as the block has fields, and returns how many that are.
    private func addPairs(to pairs: UnsafeMutableBufferPointer<nghttp2_nv>) -> Int {
        withBytes { raw in
            guard let base = raw.baseAddress else { return 0 }
            let start = UnsafeMutableRawPointer(mutating: base).assumingMemoryBound(to: UInt8.self)
            for index in 0..<count {
                let field = field(at: index)
                pairs.initializeElement(
                    at: index,
                    to: nghttp2_nv(
                        name: start + Int(field.nameStart), value: start + Int(field.valueStart),
                        namelen: Int(field.nameLength), valuelen: Int(field.valueLength),
                        flags: compressionFlags(ofFieldAt: index)))
            }
            return count
        }
    }

    /// `name` outlives everything.
    private static func pair(
        _ name: StaticString, _ value: UnsafeMutableRawBufferPointer
    ) -> nghttp2_nv {
        nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start),
            value: value.baseAddress?.assumingMemoryBound(to: UInt8.self),
            namelen: name.utf8CodeUnitCount, valuelen: value.count,
            flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
    }

    /// A value that never comes again must stay out of the compression table: fifty old request
    /// ids would fill it, and each new one be compared with all of them.
    private func compressionFlags(ofFieldAt index: Int) -> UInt8 {
        let isUnique = name(at: index, equals: "x-request-id")
        let flag = isUnique ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE
        return UInt8(flag.rawValue)
    }
}
