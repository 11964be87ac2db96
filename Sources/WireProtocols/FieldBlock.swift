/// One block of header fields in a single reusable buffer: names and values lie back to back, and
/// a field is four offsets. HTTP/1.1 heads are stored in HTTP/2's form (`:method`, `:path`,
/// `:authority` or `:status`, names in lower case), so that whoever reads a block need not know
/// which protocol it came by.
///
/// The block owns its memory and cannot be copied: a dozen fields go in and out of one for every
/// request, and arrays would ask each time whether somebody else has them too.
///
/// `@unchecked Sendable`: nobody else has its memory, so that it may go to another thread whole.
public struct FieldBlock: ~Copyable, @unchecked Sendable {
    /// Where one field lies in the block's buffer. Only the block makes them, and only of bytes
    /// that it has written.
    public struct Field: Sendable {
        public var nameStart: Int32
        public var nameLength: Int32
        public var valueStart: Int32
        public var valueLength: Int32
    }

    @usableFromInline var storage: UnsafeMutableRawPointer?
    /// Bytes that `storage` holds, and how many of them are in use.
    @usableFromInline var capacity = 0
    @usableFromInline var used = 0
    @usableFromInline var fields: UnsafeMutablePointer<Field>?
    @usableFromInline var fieldCapacity = 0
    @usableFromInline var number = 0

    @inlinable public var count: Int { number }

    public init() {}

    deinit {
        storage?.deallocate()
        fields?.deallocate()
    }

    /// Size as RFC 9113 6.5.2 counts it: name + value + 32 for each field.
    public var listSize: Int { used + 32 * count }

    /// Empties the block and keeps its memory for the next request, unless an uncommonly large
    /// head has blown it up: pooled blocks live as long as their connection.
    public mutating func removeAll() {
        if capacity > Self.keptBytes {
            storage?.deallocate()
            storage = nil
            capacity = 0
        }
        used = 0
        number = 0
    }

    private static let keptBytes = 8 << 10

    /// Changes places with another block, word by word: `swap` would copy both as a whole, twice.
    @inlinable
    public mutating func exchange(with other: inout FieldBlock) {
        (storage, other.storage) = (other.storage, storage)
        (capacity, other.capacity) = (other.capacity, capacity)
        (used, other.used) = (other.used, used)
        (fields, other.fields) = (other.fields, fields)
        (fieldCapacity, other.fieldCapacity) = (other.fieldCapacity, fieldCapacity)
        (number, other.number) = (other.number, number)
    }

    public mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        let start = used
        let middle = start + name.count
        let end = middle + value.count
        if end > capacity { grow(to: end) }
        if number == fieldCapacity { growFields() }
        guard let storage, let fields else { return }
        (storage + start).copyShort(name)
        (storage + middle).copyShort(value)
        used = end
        (fields + number).initialize(
            to: Field(
                nameStart: Int32(truncatingIfNeeded: start),
                nameLength: Int32(truncatingIfNeeded: name.count),
                valueStart: Int32(truncatingIfNeeded: middle),
                valueLength: Int32(truncatingIfNeeded: value.count)))
        number += 1
    }

    private mutating func grow(to size: Int) {
        let size = max(256, 2 * capacity, size)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        if let storage {
            grown.copyMemory(from: storage, byteCount: used)
            storage.deallocate()
        }
        storage = grown
        capacity = size
    }

    private mutating func growFields() {
        let size = max(16, 2 * fieldCapacity)
        let grown = UnsafeMutablePointer<Field>.allocate(capacity: size)
        if let fields {
            grown.moveInitialize(from: fields, count: number)
            fields.deallocate()
        }
        fields = grown
        fieldCapacity = size
    }

    /// The field's place, for the C library's array; `index` is below `count`.
    @inlinable
    func field(at index: Int) -> Field {
        guard index >= 0, index < number, let fields else { preconditionFailure("no such field") }
        return fields[index]
    }

    /// As `append`, with the name's letters made lower case.
    mutating func append(lowercasing name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        let start = used
        append(name: name, value: value)
        let copy = UnsafeMutableRawBufferPointer(
            start: storage.map { $0 + start }, count: name.count)
        for index in copy.indices { copy[index] = HTTP1Text.lowercased(copy[index]) }
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
        append(
            name: other.bytes(field.nameStart, field.nameLength),
            value: other.bytes(field.valueStart, field.valueLength))
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
        guard let fields, let storage else { return nil }
        var index = 0
        while index < number {
            if Self.matches(fields[index], name, storage) { return index }
            index &+= 1
        }
        return nil
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
        guard let storage else { return false }
        return Self.matches(field(at: index), name, storage)
    }

    /// `bytes`: where the block's own begin.
    @inlinable @inline(__always)
    static func matches(
        _ field: Field, _ name: StaticString, _ bytes: UnsafeRawPointer
    ) -> Bool {
        let count = name.utf8CodeUnitCount
        guard Int(field.nameLength) == count else { return false }
        let mine = bytes + Int(field.nameStart)
        let other = UnsafeRawPointer(name.utf8Start)
        // In words of which the last overlaps the one before.
        if count >= 8 {
            var offset = 0
            while offset < count &- 8 {
                if differ(mine, other, at: offset) { return false }
                offset &+= 8
            }
            return !differ(mine, other, at: count &- 8)
        }
        if count >= 4 {
            return mine.loadUnaligned(as: UInt32.self) == other.loadUnaligned(as: UInt32.self)
                && mine.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
                    == other.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
        }
        var offset = 0
        while offset < count {
            if mine.load(fromByteOffset: offset, as: UInt8.self)
                != other.load(fromByteOffset: offset, as: UInt8.self)
            { return false }
            offset &+= 1
        }
        return true
    }

    @inlinable @inline(__always)
    static func differ(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, at offset: Int) -> Bool {
        a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            != b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
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
        return try body(bytes(field.valueStart, field.valueLength))
    }

    @inlinable
    public func withName<R>(
        at index: Int, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        let field = field(at: index)
        return try body(bytes(field.nameStart, field.nameLength))
    }

    /// Valid until the block changes.
    @inlinable
    func bytes(_ start: Int32, _ length: Int32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: storage.map { $0 + Int(start) }, count: Int(length))
    }
}
