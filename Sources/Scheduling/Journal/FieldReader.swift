/// Why a journal cannot be read on, and where.
public struct JournalError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Bytes from the start of the file.
    public var offset: UInt64
    public var problem: String

    public var description: String { "byte \(offset): \(problem)" }
}

/// Reads what ``FieldWriter`` wrote. Whatever the bytes are, it reads none beyond them and makes
/// no list longer than what is left could hold.
struct FieldReader: FieldCoder {
    static let reads = true

    let bytes: [UInt8]
    /// Where the bytes begin in the file.
    let start: UInt64
    var position = 0

    init(_ bytes: [UInt8], at start: UInt64 = 0) {
        self.bytes = bytes
        self.start = start
    }

    var isAtEnd: Bool { position >= bytes.count }
    var left: Int { bytes.count - position }

    func error(_ problem: String, at position: Int? = nil) -> JournalError {
        JournalError(offset: start + UInt64(position ?? self.position), problem: problem)
    }

    mutating func byte() throws(JournalError) -> UInt8 {
        guard position < bytes.count else { throw error("a record ends too early") }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func varint() throws(JournalError) -> UInt64 {
        let first = position
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            guard shift < 63 || next <= 1 else { throw error("a number is too large", at: first) }
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
        }
    }

    mutating func fixed(bytes count: Int) throws(JournalError) -> UInt64 {
        guard left >= count else { throw error("a record ends too early") }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[position + index]) << (8 * UInt64(index)) }
        position += count
        return value
    }

    mutating func integer(_ value: inout Int) throws(JournalError) {
        let raw = try varint()
        value = Int(Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1))
    }

    mutating func word(_ value: inout UInt64) throws(JournalError) {
        value = try fixed(bytes: 8)
    }

    mutating func number(_ value: inout Double) throws(JournalError) {
        value = Double(bitPattern: try fixed(bytes: 8))
    }

    mutating func flag(_ value: inout Bool) throws(JournalError) {
        let first = position
        switch try byte() {
        case 0: value = false
        case 1: value = true
        default: throw error("neither true nor false", at: first)
        }
    }

    mutating func text(_ value: inout String) throws(JournalError) {
        var count = 0
        try length(&count)
        value = String(decoding: bytes[position..<position + count], as: UTF8.self)
        position += count
    }

    mutating func choice<Choice: JournalChoice>(_ value: inout Choice) throws(JournalError) {
        let first = position
        let code = try byte()
        guard let found = Choice.allCases.first(where: { $0.journalCode == code }) else {
            throw error("\(code) is no \(Choice.self)", at: first)
        }
        value = found
    }

    /// Everything in a list takes a byte at least.
    mutating func length(_ value: inout Int) throws(JournalError) {
        let first = position
        let count = try varint()
        guard count <= UInt64(left) else {
            throw error("a list of \(count) in a record with \(left) bytes left", at: first)
        }
        value = Int(count)
    }
}
