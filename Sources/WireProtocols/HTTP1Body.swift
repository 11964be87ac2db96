import InferenceTypes

/// Takes the transfer framing off a body. The caller keeps unread bytes together; each step uses
/// some of them.
struct HTTP1Body: Sendable {
    enum Step {
        case needMore
        case body(Range<Int>, consumed: Int)
        case end(consumed: Int)
    }

    private enum State: Sendable {
        /// So many bytes to come.
        case length(Int)
        /// A chunk's size line comes next.
        case chunkSize
        /// So many bytes of this chunk to come, then its CRLF.
        case chunkData(Int)
        case chunkEnd
        /// Trailer lines, thrown away, up to the empty one.
        case trailers(fields: Int, bytes: Int)
        /// The end of the connection is the end of the body.
        case untilClose
    }

    private var state: State

    static let none = HTTP1Body(length: 0)

    /// What surrounds the payload of a chunked body at most.
    struct Bounds: Sendable {
        /// A size line: 16 digits, the extensions and the line's end.
        var sizeLine = 0
        var trailerFields = 0
        var trailerBytes = 0

        init() {}

        init(_ limits: Limits) {
            sizeLine = 16 + limits.chunkExtensionBytes + 2
            trailerFields = limits.trailerFields
            trailerBytes = limits.trailerBytes
        }
    }

    private var bounds = Bounds()

    init(length: Int) { state = .length(length) }
    private init(_ state: State) { self.state = state }
    static func chunked(_ bounds: Bounds) -> HTTP1Body {
        var body = HTTP1Body(.chunkSize)
        body.bounds = bounds
        return body
    }
    static func closeDelimited() -> HTTP1Body { HTTP1Body(.untilClose) }

    var isCloseDelimited: Bool {
        if case .untilClose = state { return true }
        return false
    }

    mutating func next(_ input: UnsafeRawBufferPointer) throws(HTTP1Error) -> Step {
        switch state {
        case .length(let remaining):
            if remaining == 0 { return .end(consumed: 0) }
            guard !input.isEmpty else { return .needMore }
            let count = min(remaining, input.count)
            state = .length(remaining - count)
            return .body(0..<count, consumed: count)
        case .untilClose:
            guard !input.isEmpty else { return .needMore }
            return .body(0..<input.count, consumed: input.count)
        case .chunkSize:
            return try startChunk(input)
        case .chunkData(let remaining):
            guard !input.isEmpty else { return .needMore }
            return try chunkData(input, from: 0, remaining)
        case .chunkEnd:
            guard try endsLine(input, at: 0) else { return .needMore }
            state = .chunkSize
            // The line end alone is no payload: go on with what follows it.
            return .body(2..<2, consumed: 2)
        case .trailers(let fields, let bytes):
            return try trailer(input, fields, bytes)
        }
    }

    /// Takes the framing off as many chunks as `bytes` begin with, a part of the last one included,
    /// and moves their payload together, onto the framing between: `payload` says where it lies
    /// then. Stops at whatever is not the usual form of a chunk, which is `next`'s.
    mutating func unframe(
        _ bytes: UnsafeMutableRawBufferPointer
    ) -> (payload: Range<Int>, consumed: Int) {
        guard let base = bytes.baseAddress else { return (0..<0, 0) }
        let end = bytes.count
        var offset = 0
        var size = 0
        switch state {
        case .chunkData(let remaining): size = remaining
        case .chunkSize:
            guard Self.passSizeLine(base, end, &offset, &size) else { return (0..<0, 0) }
        default: return (0..<0, 0)
        }
        // What is at hand of the first chunk stays where it is.
        let first = offset
        var last = offset
        while true {
            let count = min(size, end &- offset)
            if last != offset {
                (base + last).copyMemory(from: base + offset, byteCount: count)
            }
            last &+= count
            offset &+= count
            guard count == size else {
                state = .chunkData(size &- count)
                break
            }
            guard end &- offset >= 2, base.holdsLineEnd(at: offset) else {
                state = .chunkEnd
                break
            }
            offset &+= 2
            guard Self.passSizeLine(base, end, &offset, &size) else {
                state = .chunkSize
                break
            }
        }
        return (first..<last, offset)
    }

    /// Passes over the size line of the chunk that begins at `offset`; false for the last chunk,
    /// one without a byte of its data, extensions, sizes of over 28 bits, and anything that is not
    /// whole or wrong: then `offset` stays.
    @inline(__always)
    private static func passSizeLine(
        _ base: UnsafeMutableRawPointer, _ end: Int, _ offset: inout Int, _ size: inout Int
    ) -> Bool {
        var value = 0
        var index = offset
        let most = min(end, offset &+ 7)
        while index < most, let digit = hex(base.load(fromByteOffset: index, as: UInt8.self)) {
            value = value << 4 | digit
            index &+= 1
        }
        guard value > 0, end &- index > 2, base.holdsLineEnd(at: index) else { return false }
        offset = index &+ 2
        size = value
        return true
    }

    private mutating func startChunk(
        _ input: UnsafeRawBufferPointer
    ) throws(HTTP1Error) -> Step {
        var size = 0
        var index = 0
        while index < input.count, let digit = Self.hex(input[index]) {
            guard index < 15 else { throw .chunkTooLong }
            size = size << 4 | digit
            index += 1
        }
        guard index < input.count else { return .needMore }
        guard index > 0 else { throw .malformedChunk }
        if input[index] != UInt8(ascii: "\r") {
            guard let end = try skipExtensions(input, from: index) else { return .needMore }
            index = end
        }
        guard index + 1 < input.count else { return .needMore }
        guard input[index + 1] == UInt8(ascii: "\n") else { throw .bareCarriageReturn }
        index += 2
        if size == 0 {
            state = .trailers(fields: 0, bytes: 0)
            return try trailerAfter(index, input)
        }
        guard index < input.count else {
            state = .chunkData(size)
            return .body(index..<index, consumed: index)
        }
        return try chunkData(input, from: index, size)
    }

    /// The carriage return after a chunk's extensions, or `nil` if it has not come yet.
    private func skipExtensions(
        _ input: UnsafeRawBufferPointer, from start: Int
    ) throws(HTTP1Error) -> Int? {
        let first = input[start]
        guard first == UInt8(ascii: ";") || first == 0x20 || first == 0x09 else {
            throw .malformedChunk
        }
        var index = start
        // Only an extension may follow the space: `5 5` could be read as another size.
        while index < input.count, input[index] == 0x20 || input[index] == 0x09 { index += 1 }
        if index > bounds.sizeLine { throw .malformedChunk }
        guard index < input.count else { return nil }
        guard input[index] == UInt8(ascii: ";") || input[index] == UInt8(ascii: "\r") else {
            throw .malformedChunk
        }
        while index < input.count, input[index] != UInt8(ascii: "\r") {
            if index > bounds.sizeLine { throw .malformedChunk }
            if input[index] < 0x20, input[index] != 0x09 { throw .malformedChunk }
            index += 1
        }
        return index < input.count ? index : nil
    }

    private mutating func chunkData(
        _ input: UnsafeRawBufferPointer, from start: Int, _ remaining: Int
    ) throws(HTTP1Error) -> Step {
        let count = min(remaining, input.count - start)
        let end = start + count
        guard count == remaining else {
            state = .chunkData(remaining - count)
            return .body(start..<end, consumed: end)
        }
        // Take the line end along if it is there: one step per chunk in the usual case.
        if try endsLine(input, at: end) {
            state = .chunkSize
            return .body(start..<end, consumed: end + 2)
        }
        state = .chunkEnd
        return .body(start..<end, consumed: end)
    }

    /// True if CRLF is at `index`; false if it may still come.
    private func endsLine(
        _ input: UnsafeRawBufferPointer, at index: Int
    ) throws(HTTP1Error) -> Bool {
        guard index < input.count else { return false }
        guard input[index] == UInt8(ascii: "\r") else { throw .malformedChunk }
        guard index + 1 < input.count else { return false }
        guard input[index + 1] == UInt8(ascii: "\n") else { throw .malformedChunk }
        return true
    }

    private mutating func trailerAfter(
        _ start: Int, _ input: UnsafeRawBufferPointer
    ) throws(HTTP1Error) -> Step {
        let rest = UnsafeRawBufferPointer(rebasing: input[start...])
        switch try trailer(rest, 0, 0) {
        case .end(let consumed): return .end(consumed: start + consumed)
        case .needMore: return .body(start..<start, consumed: start)
        // A trailer that was counted must be used up, or it would be counted again.
        case .body(_, let consumed): return .body(start..<start, consumed: start + consumed)
        }
    }

    private mutating func trailer(
        _ input: UnsafeRawBufferPointer, _ fields: Int, _ bytes: Int
    ) throws(HTTP1Error) -> Step {
        var end = 0
        while end < input.count, input[end] != UInt8(ascii: "\n") { end += 1 }
        if bytes + end > bounds.trailerBytes { throw .trailersTooLarge }
        guard end < input.count else { return .needMore }
        guard end > 0, input[end - 1] == UInt8(ascii: "\r") else { throw .bareLineFeed }
        if end == 1 {
            state = .length(0)
            return .end(consumed: 2)
        }
        if fields + 1 > bounds.trailerFields { throw .trailersTooLarge }
        // Nobody reads it, but what is no field must not pass for one.
        _ = try HTTP1FieldLine(UnsafeRawBufferPointer(rebasing: input[..<(end - 1)]))
        state = .trailers(fields: fields + 1, bytes: bytes + end + 1)
        return .body(end + 1..<end + 1, consumed: end + 1)
    }

    @inline(__always)
    private static func hex(_ byte: UInt8) -> Int? {
        let decimal = byte &- UInt8(ascii: "0")
        if decimal < 10 { return Int(decimal) }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? Int(letter) + 10 : nil
    }
}

extension UnsafeMutableRawPointer {
    /// True if CR and LF are at `offset`.
    @inline(__always)
    fileprivate func holdsLineEnd(at offset: Int) -> Bool {
        loadUnaligned(fromByteOffset: offset, as: UInt16.self).littleEndian == 0x0A0D
    }
}
