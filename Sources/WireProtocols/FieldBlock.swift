/// One block of header fields in a single reusable buffer: names and values lie back to back, and
/// a field is four offsets. HTTP/1.1 heads are stored in HTTP/2's form (`:method`, `:path`,
/// `:authority` or `:status`, names in lower case), so that whoever reads a block need not know
/// which protocol it came by.
public struct FieldBlock: Sendable {
    /// Where one field lies in the block's buffer.
    public struct Field: Sendable {
        public var nameStart: Int32
        public var nameLength: Int32
        public var valueStart: Int32
        public var valueLength: Int32
    }

    // Both arrays only grow: what lies beyond the counts is left over from earlier requests. A
    // block is filled a dozen times a request, and moving a counter is cheaper than the bookkeeping
    // of an array.
    @usableFromInline var storage: [UInt8] = []
    @usableFromInline var used = 0
    @usableFromInline var fields: [Field] = []

    @usableFromInline var number = 0

    @inlinable public var count: Int { number }

    public init() {}

    /// Size as RFC 9113 6.5.2 counts it: name + value + 32 for each field.
    public var listSize: Int { used + 32 * count }

    /// Empties the block and keeps its memory for the next request, unless an uncommonly large
    /// head has blown it up: pooled blocks live as long as their connection.
    public mutating func removeAll() {
        if storage.count > Self.keptBytes { storage = [] }
        used = 0
        number = 0
    }

    private static let keptBytes = 8 << 10

    public mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        let start = used
        let middle = start + name.count
        used = middle + value.count
        if used > storage.count { grow() }
        storage.withUnsafeMutableBytes { storage in
            guard let base = storage.baseAddress else { return }
            (base + start).copyShort(name)
            (base + middle).copyShort(value)
        }
        let field = Field(
            nameStart: Int32(truncatingIfNeeded: start),
            nameLength: Int32(truncatingIfNeeded: name.count),
            valueStart: Int32(truncatingIfNeeded: middle),
            valueLength: Int32(truncatingIfNeeded: value.count))
        if count < fields.count { fields[count] = field } else { fields.append(field) }
        number += 1
    }

    private mutating func grow() {
        let size = max(256, 2 * storage.count, used)
        storage.append(contentsOf: repeatElement(0, count: size - storage.count))
    }

    /// The field's place, for the C library's array; `index` is below `count`.
    @inlinable
    func field(at index: Int) -> Field {
        precondition(index < count)
        return fields[index]
    }

    /// The bytes that the fields' offsets refer to.
    @inlinable
    func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try storage.withUnsafeBytes { storage in
            try body(UnsafeRawBufferPointer(rebasing: storage[..<used]))
        }
    }

    /// As `append`, with the name's letters made lower case.
    mutating func append(lowercasing name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        let start = used
        append(name: name, value: value)
        storage.withUnsafeMutableBytes { storage in
            for index in start..<start + name.count {
                storage[index] = HTTP1Text.lowercased(storage[index])
            }
        }
    }

    public mutating func append(name: StaticString, value: UnsafeRawBufferPointer) {
        let name = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        append(name: name, value: value)
    }

    /// A field whose value is a non-negative decimal number.
    public mutating func append(name: StaticString, number: Int) {
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { buffer in
            var rest = number.magnitude
            var start = buffer.count
            repeat {
                start -= 1
                buffer[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            append(name: name, value: UnsafeRawBufferPointer(rebasing: buffer[start...]))
        }
    }

    public mutating func append(name: StaticString, value: StaticString) {
        append(
            name: name,
            value: UnsafeRawBufferPointer(
                start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    /// Copies one field of another block.
    public mutating func append(_ other: borrowing FieldBlock, at index: Int) {
        let field = other.field(at: index)
        other.withBytes { bytes in
            append(
                name: UnsafeRawBufferPointer(
                    rebasing: bytes[range(field.nameStart, field.nameLength)]),
                value: UnsafeRawBufferPointer(
                    rebasing: bytes[range(field.valueStart, field.valueLength)]))
        }
    }

    public mutating func append(_ name: String, _ value: String) {
        var name = name
        var value = value
        name.withUTF8 { name in
            value.withUTF8 { value in
                append(name: UnsafeRawBufferPointer(name), value: UnsafeRawBufferPointer(value))
            }
        }
    }

    /// The index of the first field with this (lower-case) name.
    @inlinable
    public func index(of name: StaticString) -> Int? {
        storage.withUnsafeBytes { bytes in
            fields.withUnsafeBufferPointer { fields in
                fields.prefix(number).firstIndex { Self.matches($0, name, bytes) }
            }
        }
    }

    /// True if the first field with this name has a value that begins with `text`, or is all of it
    /// if it must be `whole`.
    public func value(of name: StaticString, begins text: StaticString, whole: Bool) -> Bool {
        withValue(of: name) { value in
            HTTP1Text.begins(value, with: text)
                && (!whole || value.count == text.utf8CodeUnitCount)
        } ?? false
    }

    /// How many fields carry this name.
    public func count(of name: StaticString) -> Int {
        var count = 0
        for index in 0..<self.count where self.name(at: index, equals: name) { count += 1 }
        return count
    }

    public func contains(_ name: StaticString) -> Bool { index(of: name) != nil }

    @inlinable
    public func name(at index: Int, equals name: StaticString) -> Bool {
        withBytes { Self.matches(field(at: index), name, $0) }
    }

    @inlinable @inline(__always)
    static func matches(
        _ field: Field, _ name: StaticString, _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
        let count = name.utf8CodeUnitCount
        guard Int(field.nameLength) == count, let base = bytes.baseAddress else { return false }
        let mine = base + Int(field.nameStart)
        let other = UnsafeRawPointer(name.utf8Start)
        // From the end: names of one length often begin alike.
        var offset = count &- 1
        while offset >= 0 {
            if mine.load(fromByteOffset: offset, as: UInt8.self)
                != other.load(fromByteOffset: offset, as: UInt8.self)
            { return false }
            offset &-= 1
        }
        return true
    }

    /// The first field's value as text; invalid UTF-8 is repaired, so only for display and lookup.
    public func string(_ name: StaticString) -> String? {
        index(of: name).map { value(at: $0) }
    }

    public func name(at index: Int) -> String {
        withName(at: index) { String(decoding: $0, as: UTF8.self) }
    }

    public func value(at index: Int) -> String {
        withValue(at: index) { String(decoding: $0, as: UTF8.self) }
    }

    /// Runs `body` on the bytes of the first field with this name; `nil` if there is none.
    @inlinable
    public func withValue<R>(
        of name: StaticString, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R? {
        guard let index = index(of: name) else { return nil }
        return try withValue(at: index, body)
    }

    @inlinable
    public func withValue<R>(
        at index: Int, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        let field = field(at: index)
        return try withBytes { bytes in
            try body(
                UnsafeRawBufferPointer(rebasing: bytes[range(field.valueStart, field.valueLength)]))
        }
    }

    @inlinable
    public func withName<R>(
        at index: Int, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        let field = field(at: index)
        return try withBytes { bytes in
            try body(
                UnsafeRawBufferPointer(rebasing: bytes[range(field.nameStart, field.nameLength)]))
        }
    }

    @inlinable
    func range(_ start: Int32, _ length: Int32) -> Range<Int> {
        Int(start)..<Int(start) + Int(length)
    }
}
