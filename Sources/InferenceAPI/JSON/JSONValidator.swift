/// Checks JSON text in one pass. Open containers are kept as one bit each (set: object), so the
/// depth limit bounds all the memory there is.
struct JSONValidator: ~Copyable {
    private let bytes: UnsafeRawBufferPointer
    private let count: Int
    private let limit: Int
    /// Filled in as the text is read, if somebody is going to walk it.
    private var outline = JSONOutline()
    private let makesOutline: Bool
    /// Values are noted here: not too deep, and not too many.
    private var isNoting: Bool

    init(_ bytes: UnsafeRawBufferPointer, depth limit: Int, makesOutline: Bool = false) {
        self.bytes = bytes
        count = bytes.count
        self.limit = limit
        self.makesOutline = makesOutline
        isNoting = makesOutline
    }

    /// The outline, once the text has been read.
    consuming func finish() -> JSONOutline { outline }

    /// What may come next.
    private enum Expectation {
        case value
        /// A value or `]`.
        case firstElement
        /// A key or `}`.
        case firstMember
        /// A comma, the container's end, or at depth 0 nothing more.
        case rest
    }

    /// This, and where the text has been read up to, goes from call to call and stays in registers:
    /// as fields they would be written and read again for every byte.
    private struct Nesting {
        var containers: UInt64 = 0
        var depth = 0
    }

    mutating func run() throws(JSONScanner.Failure) -> Range<Int> {
        var offset = afterSpace(0)
        let start = offset
        var nesting = Nesting()
        var expectation = Expectation.value
        repeat {
            guard offset < count else { throw failure(.unexpectedEnd, offset) }
            expectation = try step(expectation, &offset, &nesting)
            if expectation == .rest, nesting.depth == 0 { break }
            offset = afterSpace(offset)
        } while true
        let end = offset
        offset = afterSpace(offset)
        guard offset == count else { throw failure(.trailingBytes, offset) }
        return start..<end
    }

    @inline(__always)
    private mutating func step(
        _ expectation: Expectation, _ offset: inout Int, _ nesting: inout Nesting
    ) throws(JSONScanner.Failure) -> Expectation {
        let byte = bytes[offset]
        switch expectation {
        case .firstElement where byte == UInt8(ascii: "]"),
            .firstMember where byte == UInt8(ascii: "}"):
            return try close(byte, &offset, &nesting)
        case .value, .firstElement:
            return try value(byte, &offset, &nesting)
        case .firstMember:
            return try member(byte, &offset, &nesting)
        case .rest:
            guard byte == UInt8(ascii: ",") else { return try close(byte, &offset, &nesting) }
            offset = afterSpace(offset &+ 1)
            guard offset < count else { throw failure(.unexpectedEnd, offset) }
            return nesting.containers & 1 == 1
                ? try member(bytes[offset], &offset, &nesting)
                : try value(bytes[offset], &offset, &nesting)
        }
    }

    /// A key, its colon and its value, or the beginning of it.
    private mutating func member(
        _ byte: UInt8, _ offset: inout Int, _ nesting: inout Nesting
    ) throws(JSONScanner.Failure) -> Expectation {
        guard byte == UInt8(ascii: "\"") else { throw failure(.unexpectedByte, offset) }
        offset = afterSpace(try string(from: offset))
        guard offset < count else { throw failure(.unexpectedEnd, offset) }
        guard bytes[offset] == UInt8(ascii: ":") else { throw failure(.unexpectedByte, offset) }
        offset = afterSpace(offset &+ 1)
        guard offset < count else { throw failure(.unexpectedEnd, offset) }
        return try value(bytes[offset], &offset, &nesting)
    }

    @inline(__always)
    private mutating func value(
        _ byte: UInt8, _ offset: inout Int, _ nesting: inout Nesting
    ) throws(JSONScanner.Failure) -> Expectation {
        switch byte {
        case UInt8(ascii: "\""): offset = try string(from: offset)
        case UInt8(ascii: "{"):
            try open(isObject: true, &offset, &nesting)
            return .firstMember
        case UInt8(ascii: "["):
            try open(isObject: false, &offset, &nesting)
            return .firstElement
        default: offset = try scalar(byte, from: offset)
        }
        return .rest
    }

    private mutating func scalar(
        _ byte: UInt8, from start: Int
    ) throws(JSONScanner.Failure) -> Int {
        let end: Int
        switch byte {
        case UInt8(ascii: "t"): end = try literal("true", from: start)
        case UInt8(ascii: "f"): end = try literal("false", from: start)
        case UInt8(ascii: "n"): end = try literal("null", from: start)
        default: end = try number(from: start)
        }
        if isNoting { outline.note(start, end) }
        return end
    }

    @inline(__always)
    private mutating func open(
        isObject: Bool, _ offset: inout Int, _ nesting: inout Nesting
    ) throws(JSONScanner.Failure) {
        guard nesting.depth < limit else { throw failure(.tooDeep, offset) }
        if isNoting { outline.open(at: offset, depth: nesting.depth) }
        nesting.depth &+= 1
        nesting.containers = nesting.containers << 1 | (isObject ? 1 : 0)
        offset &+= 1
        noteDepth(nesting)
    }

    @inline(__always)
    private mutating func noteDepth(_ nesting: Nesting) {
        isNoting =
            makesOutline && nesting.depth <= JSONOutline.greatestDepth && !outline.isFull
    }

    @inline(__always)
    private mutating func close(
        _ byte: UInt8, _ offset: inout Int, _ nesting: inout Nesting
    ) throws(JSONScanner.Failure) -> Expectation {
        let expected = nesting.containers & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]")
        guard nesting.depth > 0, byte == expected else { throw failure(.unexpectedByte, offset) }
        offset &+= 1
        nesting.depth &-= 1
        nesting.containers >>= 1
        noteDepth(nesting)
        if isNoting { outline.close(at: offset) }
        return .rest
    }

    // What follows changes nothing and is `mutating` all the same: else it gets a copy of it all.
    private mutating func literal(
        _ text: StaticString, from start: Int
    ) throws(JSONScanner.Failure) -> Int {
        let length = text.utf8CodeUnitCount
        if bytes.hasSameBytes(
            as: UnsafeRawPointer(text.utf8Start), at: start, count: min(length, count &- start)),
            length <= count &- start
        { return start &+ length }
        for index in 0..<length {
            let offset = start &+ index
            guard offset < count else { throw failure(.unexpectedEnd, offset) }
            guard bytes[offset] == text.utf8Start[index] else {
                throw failure(.unexpectedByte, offset)
            }
        }
        return start &+ length
    }

    private mutating func number(from start: Int) throws(JSONScanner.Failure) -> Int {
        var offset = start
        if peek(offset) == UInt8(ascii: "-") { offset &+= 1 }
        if peek(offset) == UInt8(ascii: "0") {
            offset &+= 1
        } else {
            offset = try digits(at: offset, from: start)
        }
        if peek(offset) == UInt8(ascii: ".") {
            offset = try digits(at: offset &+ 1, from: start)
        }
        if peek(offset) | 0x20 == UInt8(ascii: "e") {
            offset &+= 1
            if peek(offset) == UInt8(ascii: "+") || peek(offset) == UInt8(ascii: "-") {
                offset &+= 1
            }
            offset = try digits(at: offset, from: start)
        }
        return offset
    }

    @inline(__always)
    private mutating func digits(
        at first: Int, from start: Int
    ) throws(JSONScanner.Failure) -> Int {
        var offset = first
        while offset < count, bytes[offset] &- UInt8(ascii: "0") <= 9 { offset &+= 1 }
        guard offset > first else {
            if offset >= count { throw failure(.unexpectedEnd, offset) }
            // A byte that no value begins with is not a broken number.
            throw failure(offset == start ? .unexpectedByte : .invalidNumber, offset)
        }
        return offset
    }

    /// The byte at the offset; 0 at the end (no JSON token contains it).
    @inline(__always)
    private func peek(_ offset: Int) -> UInt8 { offset < count ? bytes[offset] : 0 }

    // MARK: Strings

    /// One past the string that opens at `start`.
    private mutating func string(from start: Int) throws(JSONScanner.Failure) -> Int {
        // Bytes that escapes take beyond those of what they stand for.
        var surplus = 0
        var offset = start &+ 1
        while true {
            offset = ByteSearch.skipPlain(in: bytes, from: offset)
            guard offset < count else { throw failure(.unexpectedEnd, offset) }
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                offset &+= 1
                if isNoting {
                    outline.note(start, offset, detail: offset &- start &- 2 &- surplus)
                }
                return offset
            }
            if byte == UInt8(ascii: "\\") {
                offset = try escapes(from: offset, &surplus)
            } else if byte < 0x20 {
                throw failure(.controlCharacter, offset)
            } else {
                offset = ByteSearch.skipCharacters(in: bytes, from: offset)
                // The last few of the text, or something wrong.
                while peek(offset) >= 0x80 { offset = try multibyte(at: offset) }
            }
        }
    }

    /// One past an escape and those that follow it: text in which all but ASCII is escaped is full
    /// of them.
    private mutating func escapes(
        from start: Int, _ surplus: inout Int
    ) throws(JSONScanner.Failure) -> Int {
        var offset = start
        // What was before the next escape is the first half of a pair.
        var isPairOpen = false
        repeat {
            if let unit = JSONEscape.wholeUnit(bytes, at: offset) {
                surplus &+= Self.surplus(of: unit, isPairOpen)
                isPairOpen = 0xD800..<0xDC00 ~= unit
                offset &+= 6
                continue
            }
            offset &+= 1
            guard offset < count else { throw failure(.unexpectedEnd, offset) }
            switch bytes[offset] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
                UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                offset &+= 1
                surplus &+= 1
                isPairOpen = false
            case UInt8(ascii: "u"):
                let unit = try hexadecimal(&offset)
                surplus &+= Self.surplus(of: unit, isPairOpen)
                isPairOpen = 0xD800..<0xDC00 ~= unit
            default:
                throw failure(.invalidEscape, offset)
            }
        } while peek(offset) == UInt8(ascii: "\\")
        return offset
    }

    /// Bytes that the escape of a UTF-16 unit takes beyond what it stands for.
    @inline(__always)
    private static func surplus(of unit: UInt32, _ isPairOpen: Bool) -> Int {
        if unit >= 0x800 {
            // With its first half, which was counted as three bytes, the second makes four.
            return isPairOpen && 0xDC00..<0xE000 ~= unit ? 5 : 3
        }
        return unit < 0x80 ? 5 : 4
    }

    /// The four digits behind the `u` at the offset, which goes past them.
    private mutating func hexadecimal(_ offset: inout Int) throws(JSONScanner.Failure) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            offset &+= 1
            guard offset < count else { throw failure(.unexpectedEnd, offset) }
            let digit = bytes[offset] &- UInt8(ascii: "0")
            let letter = (bytes[offset] | 0x20) &- UInt8(ascii: "a")
            guard digit <= 9 || letter <= 5 else { throw failure(.invalidEscape, offset) }
            unit = unit << 4 | UInt32(digit <= 9 ? digit : letter + 10)
        }
        offset &+= 1
        return unit
    }

    /// One past a UTF-8 sequence of two to four bytes (Unicode 15, table 3-7).
    private mutating func multibyte(at offset: Int) throws(JSONScanner.Failure) -> Int {
        let first = bytes[offset]
        let length: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, low) = (3, 0xA0)
        case 0xED: (length, high) = (3, 0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, low) = (4, 0x90)
        case 0xF4: (length, high) = (4, 0x8F)
        case 0xF1...0xF3: length = 4
        default: throw failure(.invalidUTF8, offset)
        }
        guard count &- offset >= length else { throw failure(.invalidUTF8, offset) }
        guard bytes[offset &+ 1] >= low, bytes[offset &+ 1] <= high else {
            throw failure(.invalidUTF8, offset)
        }
        for index in 2..<max(2, length) where bytes[offset &+ index] & 0xC0 != 0x80 {
            throw failure(.invalidUTF8, offset)
        }
        return offset &+ length
    }

    // MARK: Bytes

    /// The first byte at or after the offset that is no space, else the count.
    @inline(__always)
    private mutating func afterSpace(_ start: Int) -> Int {
        var offset = start
        guard offset < count, bytes[offset] <= 0x20 else { return offset }
        // Mostly it is one.
        if bytes[offset] == 0x20 {
            offset &+= 1
            guard offset < count, bytes[offset] <= 0x20 else { return offset }
        }
        return afterSpaces(offset)
    }

    private mutating func afterSpaces(_ start: Int) -> Int {
        var offset = start
        while offset < count, Self.isSpace(bytes[offset]) { offset &+= 1 }
        return offset
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    static func endsScalar(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
            || isSpace(byte)
    }

    @inline(never)
    private mutating func failure(
        _ reason: JSONScanner.Failure.Reason, _ offset: Int
    ) -> JSONScanner.Failure {
        JSONScanner.Failure(reason: reason, offset: min(offset, count))
    }
}
