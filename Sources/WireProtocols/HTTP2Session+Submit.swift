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
        FieldBlock().withNameValues(status: 100, length: nil, isFirst: false) { pairs in
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
        let isFirst = !cell.pointee.hasNamedRequest
        if isFirst { cell.pointee.hasNamedRequest = fields.contains("x-request-id") }
        fields.withNameValues(status: status, length: length, isFirst: isFirst) { pairs in
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
    /// one. Valid during the call only. `isFirst`: of the connection's answers.
    func withNameValues(
        status: Int, length: Int?, isFirst: Bool,
        _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Void
    ) {
        withUnsafeTemporaryAllocation(byteCount: 2 * Self.digits, alignment: 8) { numbers in
            withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: count + 2) { pairs in
                pairs.initializeElement(
                    at: 0,
                    to: Self.pair(
                        ":status",
                        HTTP1Writer.decimal(
                            status, in: .init(rebasing: numbers[..<Self.digits]))))
                var filled = 1
                while filled <= count {
                    pairs.initializeElement(
                        at: filled, to: pair(at: filled - 1, isFirst: isFirst))
                    filled += 1
                }
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

    /// One of our own fields. Names that most answers have are taken from the program's text, so
    /// that the library neither copies them nor makes their letters small.
    private func pair(at index: Int, isFirst: Bool) -> nghttp2_nv {
        let field = field(at: index)
        let name = bytes(field.nameStart, field.nameLength)
        let value = bytes(field.valueStart, field.valueLength)
        switch name.count {
        case 12 where self.name(at: index, equals: "content-type"):
            return Self.pair("content-type", value)
        case 12 where self.name(at: index, equals: "x-request-id"):
            // A value that never comes again must stay out of the compression table: fifty old
            // request ids would fill it, and each new one be compared with all of them. The first
            // goes in for the sake of its name, which needs no spelling after that.
            let flag = isFirst ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX
            return Self.pair("x-request-id", value, flags: UInt8(flag.rawValue))
        default:
            return nghttp2_nv(
                name: Self.mutable(name), value: Self.mutable(value),
                namelen: name.count, valuelen: value.count,
                flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
        }
    }

    /// `name` outlives everything and is in lower case.
    @inline(__always)
    private static func pair(
        _ name: StaticString, _ value: UnsafeRawBufferPointer, flags: UInt8 = 0
    ) -> nghttp2_nv {
        nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start), value: mutable(value),
            namelen: name.utf8CodeUnitCount, valuelen: value.count,
            flags: flags | UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue))
    }

    @inline(__always)
    private static func pair(
        _ name: StaticString, _ value: UnsafeMutableRawBufferPointer
    ) -> nghttp2_nv {
        pair(name, UnsafeRawBufferPointer(value))
    }

    /// The library's types say nothing of what it leaves alone.
    @inline(__always)
    private static func mutable(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
        UnsafeMutableRawPointer(mutating: bytes.baseAddress)?
            .assumingMemoryBound(to: UInt8.self)
    }
}
