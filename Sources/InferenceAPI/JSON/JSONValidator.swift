/// Checks JSON text in one pass. Open containers are kept as one bit each (set: object), so the
/// depth limit bounds all the memory there is.
struct JSONValidator {
    private let bytes: UnsafeRawBufferPointer
    private let limit: Int
    private var offset = 0
    private var containers: UInt64 = 0
    private var depth = 0
    /// Filled in as the text is read, if somebody is going to walk it.
    private(set) var outline = JSONOutline()
    private let makesOutline: Bool
    /// Values are noted here: not too deep, and not too many.
    private var isNoting: Bool

    init(_ bytes: UnsafeRawBufferPointer, depth limit: Int, makesOutline: Bool = false) {
        self.bytes = bytes
        self.limit = limit
        self.makesOutline = makesOutline
        isNoting = makesOutline
        if makesOutline { outline.reserve() }
    }

    /// What may come next.
    private enum Expectation {
        case value
        /// A value or `]`.
        case firstElement
        /// A key or `}`.
        case firstMember
        case key
        /// A comma, the container's end, or at depth 0 nothing more.
        case rest
    }

    mutating func run() throws(JSONScanner.Failure) -> Range<Int> {
        skipSpace()
        let start = offset
        var expectation = Expectation.value
        repeat {
            guard offset < bytes.count else { throw failure(.unexpectedEnd) }
            expectation = try step(expectation)
            if expectation == .rest, depth == 0 { break }
            skipSpace()
        } while true
        let end = offset
        skipSpace()
        guard offset == bytes.count else { throw failure(.trailingBytes) }
        return start..<end
    }

    @inline(__always)
    private mutating func step(
        _ expectation: Expectation
    ) throws(JSONScanner.Failure) -> Expectation {
        let byte = bytes[offset]
        switch expectation {
        case .firstElement where byte == UInt8(ascii: "]"),
            .firstMember where byte == UInt8(ascii: "}"):
            return try close(byte)
        case .value, .firstElement:
            return try value(byte)
        case .firstMember, .key:
            guard byte == UInt8(ascii: "\"") else { throw failure(.unexpectedByte) }
            try string()
            skipSpace()
            guard offset < bytes.count else { throw failure(.unexpectedEnd) }
            guard bytes[offset] == UInt8(ascii: ":") else { throw failure(.unexpectedByte) }
            offset += 1
            return .value
        case .rest:
            if byte == UInt8(ascii: ",") {
                offset += 1
                return containers & 1 == 1 ? .key : .value
            }
            return try close(byte)
        }
    }

    @inline(__always)
    private mutating func value(_ byte: UInt8) throws(JSONScanner.Failure) -> Expectation {
        switch byte {
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "{"):
            try open(isObject: true)
            return .firstMember
        case UInt8(ascii: "["):
            try open(isObject: false)
            return .firstElement
        default: try scalar(byte)
        }
        return .rest
    }

    @inline(__always)
    private mutating func scalar(_ byte: UInt8) throws(JSONScanner.Failure) {
        let start = offset
        switch byte {
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: try number()
        }
        if isNoting { outline.note(start, offset) }
    }

    @inline(__always)
    private mutating func open(isObject: Bool) throws(JSONScanner.Failure) {
        guard depth < limit else { throw failure(.tooDeep) }
        if isNoting { outline.open(at: offset, depth: depth) }
        depth += 1
        containers = containers << 1 | (isObject ? 1 : 0)
        offset += 1
        noteDepth()
    }

    @inline(__always)
    private mutating func noteDepth() {
        isNoting = makesOutline && depth <= JSONOutline.greatestDepth && !outline.isFull
    }

    @inline(__always)
    private mutating func close(_ byte: UInt8) throws(JSONScanner.Failure) -> Expectation {
        let expected = containers & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]")
        guard depth > 0, byte == expected else { throw failure(.unexpectedByte) }
        offset += 1
        depth -= 1
        containers >>= 1
        noteDepth()
        if isNoting { outline.close(at: offset) }
        return .rest
    }

    private mutating func literal(_ text: StaticString) throws(JSONScanner.Failure) {
        for index in 0..<text.utf8CodeUnitCount {
            guard offset < bytes.count else { throw failure(.unexpectedEnd) }
            guard bytes[offset] == text.utf8Start[index] else { throw failure(.unexpectedByte) }
            offset += 1
        }
    }

    private mutating func number() throws(JSONScanner.Failure) {
        let start = offset
        if peek == UInt8(ascii: "-") { offset += 1 }
        if peek == UInt8(ascii: "0") {
            offset += 1
        } else {
            try digits(from: start)
        }
        if peek == UInt8(ascii: ".") {
            offset += 1
            try digits(from: start)
        }
        if peek | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
            try digits(from: start)
        }
    }

    private mutating func digits(from start: Int) throws(JSONScanner.Failure) {
        let first = offset
        while offset < bytes.count, bytes[offset] &- UInt8(ascii: "0") <= 9 { offset += 1 }
        guard offset > first else {
            if offset >= bytes.count { throw failure(.unexpectedEnd) }
            // A byte that no value begins with is not a broken number.
            throw failure(offset == start ? .unexpectedByte : .invalidNumber)
        }
    }

    /// The byte at the offset; 0 at the end (no JSON token contains it).
    private var peek: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    // MARK: Strings

    @inline(__always)
    private mutating func string() throws(JSONScanner.Failure) {
        let start = offset
        // Bytes that escapes take beyond those of what they stand for.
        var surplus = 0
        offset += 1
        while true {
            offset = ByteSearch.skipPlain(in: bytes, from: offset)
            guard offset < bytes.count else { throw failure(.unexpectedEnd) }
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                offset += 1
                if isNoting {
                    outline.note(start, offset, detail: offset &- start &- 2 &- surplus)
                }
                return
            }
            if byte == UInt8(ascii: "\\") {
                try escapes(&surplus)
            } else if byte < 0x20 {
                throw failure(.controlCharacter)
            } else {
                offset = ByteSearch.skipCharacters(in: bytes, from: offset)
                // The last few of the text, or something wrong.
                while peek >= 0x80 { try multibyte() }
            }
        }
    }

    /// One escape and those that follow it: text in which all but ASCII is escaped is full of them.
    private mutating func escapes(_ surplus: inout Int) throws(JSONScanner.Failure) {
        // What was before the next escape is the first half of a pair.
        var isPairOpen = false
        repeat {
            if let unit = JSONEscape.wholeUnit(bytes, at: offset) {
                surplus &+= Self.surplus(of: unit, isPairOpen)
                isPairOpen = 0xD800..<0xDC00 ~= unit
                offset += 6
                continue
            }
            offset += 1
            guard offset < bytes.count else { throw failure(.unexpectedEnd) }
            switch bytes[offset] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
                UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                offset += 1
                surplus &+= 1
                isPairOpen = false
            case UInt8(ascii: "u"):
                let unit = try hexadecimal()
                surplus &+= Self.surplus(of: unit, isPairOpen)
                isPairOpen = 0xD800..<0xDC00 ~= unit
            default:
                throw failure(.invalidEscape)
            }
        } while peek == UInt8(ascii: "\\")
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

    /// The four digits behind the `u` at the offset.
    private mutating func hexadecimal() throws(JSONScanner.Failure) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            offset += 1
            guard offset < bytes.count else { throw failure(.unexpectedEnd) }
            let digit = bytes[offset] &- UInt8(ascii: "0")
            let letter = (bytes[offset] | 0x20) &- UInt8(ascii: "a")
            guard digit <= 9 || letter <= 5 else { throw failure(.invalidEscape) }
            unit = unit << 4 | UInt32(digit <= 9 ? digit : letter + 10)
        }
        offset += 1
        return unit
    }

    /// One UTF-8 sequence of two to four bytes (Unicode 15, table 3-7).
    private mutating func multibyte() throws(JSONScanner.Failure) {
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
        default: throw failure(.invalidUTF8)
        }
        guard bytes.count - offset >= length else { throw failure(.invalidUTF8) }
        guard bytes[offset + 1] >= low, bytes[offset + 1] <= high else {
            throw failure(.invalidUTF8)
        }
        for index in 2..<max(2, length) where bytes[offset + index] & 0xC0 != 0x80 {
            throw failure(.invalidUTF8)
        }
        offset += length
    }

    // MARK: Bytes

    @inline(__always)
    private mutating func skipSpace() {
        guard offset < bytes.count, bytes[offset] <= 0x20 else { return }
        skipSpaces()
    }

    private mutating func skipSpaces() {
        while offset < bytes.count, Self.isSpace(bytes[offset]) { offset += 1 }
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    static func endsScalar(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
            || isSpace(byte)
    }

    private func failure(_ reason: JSONScanner.Failure.Reason) -> JSONScanner.Failure {
        JSONScanner.Failure(reason: reason, offset: min(offset, bytes.count))
    }
}
