/// Follows what a server sends: frames that are whole and in order, and each stream's body.
struct HTTP2Replies: Equatable {
    private enum State { case open, ended, reset }

    /// Body bytes by stream.
    private(set) var bodies: [Int: [UInt8]] = [:]
    private(set) var dataBytes = 0
    private var states: [Int: State] = [:]
    private var pending: [UInt8] = []
    private var hasSettings = false

    static let greatestFrame = 16_384

    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(Finding) {
        pending.append(contentsOf: bytes)
        var start = 0
        while pending.count - start >= 9 {
            let length = Int(pending[start]) << 16 | Int(pending[start + 1]) << 8
                | Int(pending[start + 2])
            try require(length <= Self.greatestFrame, "a frame of \(length) bytes")
            guard pending.count - start >= 9 + length else { break }
            let stream = pending[(start + 5)..<(start + 9)].reduce(0) { $0 << 8 | Int($1) }
            try take(
                type: pending[start + 3], flags: pending[start + 4], stream: stream,
                pending[(start + 9)..<(start + 9 + length)])
            start += 9 + length
        }
        pending.removeFirst(start)
    }

    /// Nothing may be left when the session has no more to say.
    func requireWhole() throws(Finding) {
        try require(pending.isEmpty, "half a frame: \(pending.count) bytes")
    }

    private mutating func take(
        type: UInt8, flags: UInt8, stream: Int, _ payload: ArraySlice<UInt8>
    ) throws(Finding) {
        try require(hasSettings || type == 4, "frame \(type) before SETTINGS")
        hasSettings = true
        switch type {
        case 0, 1: try takeReply(type, flags, stream, payload)
        case 3:
            try require(stream & 1 == 1 && payload.count == 4, "RST_STREAM of stream \(stream)")
            states[stream] = .reset
        case 4, 6, 7: try require(stream == 0, "frame \(type) of stream \(stream)")
        case 8: try require(payload.count == 4, "a window update of \(payload.count) bytes")
        default: throw Finding(description: "frame \(type) of a server")
        }
    }

    private mutating func takeReply(
        _ type: UInt8, _ flags: UInt8, _ stream: Int, _ payload: ArraySlice<UInt8>
    ) throws(Finding) {
        try require(stream & 1 == 1, "an answer on stream \(stream)")
        let state = states[stream]
        try require(state == (type == 0 ? .open : nil), "frame \(type), stream \(stream) \(state)")
        states[stream] = flags & 1 == 1 ? .ended : .open
        guard type == 0 else { return }
        bodies[stream, default: []].append(contentsOf: payload)
        dataBytes += payload.count
    }
}

extension String.StringInterpolation {
    fileprivate mutating func appendInterpolation(_ value: (some Any)?) {
        appendInterpolation(String(describing: value))
    }
}
