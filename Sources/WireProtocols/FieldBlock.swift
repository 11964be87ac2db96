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

    public private(set) var bytes: [UInt8] = []
    public private(set) var fields: [Field] = []

    public init() {}

    public var count: Int { fields.count }

    /// Size as RFC 9113 6.5.2 counts it: name + value + 32 for each field.
    public var listSize: Int { bytes.count + 32 * fields.count }

    /// Empties the block and keeps its memory for the next request.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
    }

    public mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        let start = bytes.count
        bytes.append(contentsOf: name)
        bytes.append(contentsOf: value)
        fields.append(
            Field(
                nameStart: Int32(truncatingIfNeeded: start),
                nameLength: Int32(truncatingIfNeeded: name.count),
                valueStart: Int32(truncatingIfNeeded: start + name.count),
                valueLength: Int32(truncatingIfNeeded: value.count)))
    }

    /// As `append`, with the name's letters made lower case.
    mutating func append(lowercasing name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        let start = bytes.count
        append(name: name, value: value)
        for index in start..<start + name.count {
            bytes[index] = HTTP1Text.lowercased(bytes[index])
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
        let field = other.fields[index]
        other.bytes.withUnsafeBytes { bytes in
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
    public func index(of name: StaticString) -> Int? {
        let wanted = UnsafeRawBufferPointer(
            start: name.utf8Start, count: name.utf8CodeUnitCount)
        return bytes.withUnsafeBytes { bytes in
            fields.firstIndex { field in
                field.nameLength == wanted.count
                    && bytes[range(field.nameStart, field.nameLength)].elementsEqual(wanted)
            }
        }
    }

    /// How many fields carry this name.
    public func count(of name: StaticString) -> Int {
        var count = 0
        for index in fields.indices where self.name(at: index, equals: name) { count += 1 }
        return count
    }

    public func contains(_ name: StaticString) -> Bool { index(of: name) != nil }

    public func name(at index: Int, equals name: StaticString) -> Bool {
        let field = fields[index]
        guard Int(field.nameLength) == name.utf8CodeUnitCount else { return false }
        return bytes.withUnsafeBytes { bytes in
            bytes[range(field.nameStart, field.nameLength)].elementsEqual(
                UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        }
    }

    /// The first field's value as text; invalid UTF-8 is repaired, so only for display and lookup.
    public func string(_ name: StaticString) -> String? {
        index(of: name).map { value(at: $0) }
    }

    public func name(at index: Int) -> String {
        let field = fields[index]
        return String(decoding: bytes[range(field.nameStart, field.nameLength)], as: UTF8.self)
    }

    public func value(at index: Int) -> String {
        let field = fields[index]
        return String(decoding: bytes[range(field.valueStart, field.valueLength)], as: UTF8.self)
    }

    /// Runs `body` on the bytes of the first field with this name; `nil` if there is none.
    public func withValue<R>(
        of name: StaticString, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R? {
        guard let index = index(of: name) else { return nil }
        return try withValue(at: index, body)
    }

    public func withValue<R>(
        at index: Int, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        let field = fields[index]
        return try bytes.withUnsafeBytes { bytes in
            try body(
                UnsafeRawBufferPointer(rebasing: bytes[range(field.valueStart, field.valueLength)]))
        }
    }

    public func withName<R>(
        at index: Int, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        let field = fields[index]
        return try bytes.withUnsafeBytes { bytes in
            try body(
                UnsafeRawBufferPointer(rebasing: bytes[range(field.nameStart, field.nameLength)]))
        }
    }

    private func range(_ start: Int32, _ length: Int32) -> Range<Int> {
        Int(start)..<Int(start) + Int(length)
    }
}
