/// Finds things in JSON text (RFC 8259) without building a tree: `validate` checks the whole text
/// in one pass, after which members and elements are walked as byte ranges. Nothing is copied and
/// nothing recurses, so neither size nor nesting of a peer's text costs more than its length.
public struct JSONScanner {
    public enum Kind: Sendable {
        case string, number, object, array, `true`, `false`, null
    }

    /// What is wrong with the text, and at which byte.
    public struct Failure: Error, Equatable {
        public enum Reason: Sendable {
            case unexpectedByte
            case unexpectedEnd
            case tooDeep
            case invalidUTF8
            case invalidEscape
            case invalidNumber
            case controlCharacter
            case trailingBytes
        }

        public var reason: Reason
        public var offset: Int
    }

    /// Deepest nesting that can be asked for: open containers are one bit each.
    public static let greatestDepth = 64

    public let bytes: UnsafeRawBufferPointer

    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// True if `bytes` is one whole JSON value.
    public static func isValid(_ bytes: UnsafeRawBufferPointer, depth: Int) -> Bool {
        do {
            _ = try JSONScanner(bytes).validate(depth: depth)
            return true
        } catch {
            return false
        }
    }

    /// Checks the whole text and returns where its value lies.
    public func validate(depth limit: Int) throws(Failure) -> Range<Int> {
        var validator = JSONValidator(bytes, depth: min(limit, Self.greatestDepth))
        return try validator.run()
    }

    // MARK: Walking validated text

    /// The kind of the value at `offset`, by its first byte.
    @inline(__always)
    public func kind(at offset: Int) -> Kind {
        switch offset < bytes.count ? bytes[offset] : 0 {
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "t"): .true
        case UInt8(ascii: "f"): .false
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    /// Walks the members of the object at `object` until `body` returns false. `key` excludes its
    /// quotes; escapes in it are not undone.
    public func forEachMember(
        of object: Range<Int>, _ body: (_ key: Range<Int>, _ value: Range<Int>) -> Bool
    ) {
        _ = walkMembers(of: object, body)
    }

    /// The same; returns one past the closing brace, or `nil` if the walk did not come to it.
    @inline(__always)
    func walkMembers(
        of object: Range<Int>, _ body: (_ key: Range<Int>, _ value: Range<Int>) -> Bool
    ) -> Int? {
        var offset = skipSpace(from: object.lowerBound + 1)
        while offset < object.upperBound, bytes[offset] == UInt8(ascii: "\"") {
            let key = offset..<endOfString(from: offset)
            offset = skipSpace(from: key.upperBound)
            // The colon.
            offset = skipSpace(from: offset + 1)
            let value = offset..<endOfValue(from: offset)
            let inner = key.lowerBound + 1..<max(key.lowerBound + 1, key.upperBound - 1)
            if !body(inner, value) { return nil }
            offset = skipSpace(from: value.upperBound)
            guard offset < object.upperBound, bytes[offset] == UInt8(ascii: ",") else { break }
            offset = skipSpace(from: offset + 1)
        }
        guard offset < object.upperBound, bytes[offset] == UInt8(ascii: "}") else { return nil }
        return offset + 1
    }

    /// Walks the members of the object that is the whole text, which nobody has validated; false
    /// if the text is none, as far as a walk can tell.
    func walkRoot(_ body: (_ key: Range<Int>, _ value: Range<Int>) -> Bool) -> Bool {
        let start = skipSpace(from: 0)
        guard start < bytes.count, kind(at: start) == .object,
            let end = walkMembers(of: start..<bytes.count, body)
        else { return false }
        return skipSpace(from: end) == bytes.count
    }

    /// Walks the elements of the array at `array` until `body` returns false.
    public func forEachElement(of array: Range<Int>, _ body: (_ value: Range<Int>) -> Bool) {
        var offset = skipSpace(from: array.lowerBound + 1)
        while offset < array.upperBound, bytes[offset] != UInt8(ascii: "]") {
            let value = offset..<endOfValue(from: offset)
            if value.isEmpty || !body(value) { return }
            offset = skipSpace(from: value.upperBound)
            guard offset < array.upperBound, bytes[offset] == UInt8(ascii: ",") else { return }
            offset = skipSpace(from: offset + 1)
        }
    }

    /// The value of the first member with this key, which must need no escape in JSON.
    public func member(_ name: StaticString, of object: Range<Int>) -> Range<Int>? {
        var found: Range<Int>?
        forEachMember(of: object) { key, value in
            if equals(key, name) { found = value }
            return found == nil
        }
        return found
    }

    /// True if the bytes of `range` are exactly `text`.
    public func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount
            && UnsafeRawBufferPointer(rebasing: bytes[range]).holds(text)
    }

    /// A whole number; `nil` for fractions, exponents and what does not fit.
    public func integer(_ range: Range<Int>) -> Int? {
        guard !range.isEmpty, kind(at: range.lowerBound) == .number else { return nil }
        var digits = range
        let isNegative = bytes[digits.lowerBound] == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return nil }
        var value = 0
        for index in digits {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(Int(digit))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return isNegative ? -value : value
    }

    @inline(__always)
    private func skipSpace(from start: Int) -> Int {
        // Most often there is none.
        guard start < bytes.count, bytes[start] <= 0x20 else { return start }
        return Self.skipSpaces(bytes, from: start)
    }

    private static func skipSpaces(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var offset = start
        while offset < bytes.count, JSONValidator.isSpace(bytes[offset]) { offset += 1 }
        return offset
    }

    // MARK: Ends of values

    /// One past the value that begins at `start`.
    func endOfValue(from start: Int) -> Int { Self.endOfValue(bytes, from: start) }

    /// One past the closing quote of the string that opens at `start`.
    func endOfString(from start: Int) -> Int { Self.endOfString(bytes, from: start) }

    /// One past the value that begins at `start`, by reading it.
    static func endOfValue(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        switch start < bytes.count ? bytes[start] : 0 {
        case UInt8(ascii: "\""): endOfString(bytes, from: start)
        case UInt8(ascii: "{"), UInt8(ascii: "["): endOfContainer(bytes, from: start)
        default: endOfScalar(bytes, from: start)
        }
    }

    private static func endOfScalar(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var offset = start
        while offset < bytes.count, !JSONValidator.endsScalar(bytes[offset]) { offset += 1 }
        return offset
    }

    private static func endOfContainer(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let count = bytes.count
        guard start >= 0, start < count, let base = bytes.baseAddress else { return count }
        var depth = 0
        var offset = start
        while offset < count {
            let byte = base.load(fromByteOffset: offset, as: UInt8.self)
            if byte == UInt8(ascii: "\"") {
                offset = endOfString(bytes, from: offset)
                continue
            }
            offset &+= 1
            // Brackets are braces but for one bit.
            switch byte | 0x20 {
            case UInt8(ascii: "{"): depth &+= 1
            case UInt8(ascii: "}"):
                depth &-= 1
                if depth == 0 { return offset }
            default: break
            }
        }
        return count
    }

    static func endOfString(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let count = bytes.count
        guard start >= 0, start < count, let base = bytes.baseAddress else { return count }
        var offset = start &+ 1
        while offset < count {
            offset = ByteSearch.skipInString(base, count, from: offset)
            guard offset < count else { break }
            if base.load(fromByteOffset: offset, as: UInt8.self) == UInt8(ascii: "\"") {
                return offset &+ 1
            }
            // A backslash, and what it escapes.
            offset &+= 2
        }
        return count
    }
}
