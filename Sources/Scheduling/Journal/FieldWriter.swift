/// Appends fields to bytes: whole numbers in groups of seven bits, least first, the sign in the
/// lowest bit; words and doubles as eight bytes, least first; texts and lists behind their length.
/// Into reserved room nothing is allocated.
struct FieldWriter: FieldCoder, Sendable {
    static let reads = false

    var bytes: [UInt8] = []

    @inline(__always)
    mutating func integer(_ value: inout Int) {
        varint(UInt64(bitPattern: Int64((value << 1) ^ (value >> 63))))
    }

    @inline(__always)
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    mutating func word(_ value: inout UInt64) { fixed(value, bytes: 8) }

    @inline(__always)
    mutating func fixed(_ value: UInt64, bytes count: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0.prefix(count)) }
    }

    mutating func number(_ value: inout Double) { fixed(value.bitPattern, bytes: 8) }

    @inline(__always)
    mutating func flag(_ value: inout Bool) { bytes.append(value ? 1 : 0) }

    mutating func text(_ value: inout String) {
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    @inline(__always)
    mutating func choice<Choice: JournalChoice>(_ value: inout Choice) {
        bytes.append(value.journalCode)
    }

    mutating func length(_ value: inout Int) { varint(UInt64(max(value, 0))) }
}
