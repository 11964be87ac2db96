/// A running digest of everything that the scheduler did: each field of each action, to the last
/// bit. One that differs once differs from then on. Not against forgers; against doubt.
struct ActionDigest: FieldCoder, Hashable, Sendable {
    typealias Failure = Never
    static let reads = false

    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    @inline(__always)
    mutating func mix(_ word: UInt64) {
        value = (value ^ word) &* 0x9E37_79B9_7F4A_7C15
        value ^= value >> 29
    }

    @inline(__always)
    mutating func integer(_ value: inout Int) { mix(UInt64(bitPattern: Int64(value))) }
    @inline(__always)
    mutating func word(_ value: inout UInt64) { mix(value) }
    @inline(__always)
    mutating func number(_ value: inout Double) { mix(value.bitPattern) }
    @inline(__always)
    mutating func flag(_ value: inout Bool) { mix(value ? 1 : 0) }

    mutating func text(_ value: inout String) {
        mix(UInt64(value.utf8.count))
        for unit in value.utf8 { mix(UInt64(unit)) }
    }

    @inline(__always)
    mutating func choice<Choice: JournalChoice>(_ value: inout Choice) {
        mix(UInt64(value.journalCode))
    }
    @inline(__always)
    mutating func length(_ value: inout Int) { mix(UInt64(max(value, 0))) }

    /// What stands in a record: enough to tell two actions apart, with one error in four billion.
    var short: UInt32 { UInt32(truncatingIfNeeded: value) }
}

/// The checksum of a block: the same mixing over eight bytes at a time.
struct BlockChecksum {
    static func of(_ head: some Sequence<UInt64>, _ payload: [UInt8]) -> UInt64 {
        var digest = ActionDigest()
        for word in head { digest.mix(word) }
        var index = 0
        payload.withUnsafeBytes { bytes in
            while index + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                digest.mix(UInt64(littleEndian: word))
                index += 8
            }
        }
        var rest: UInt64 = 0
        for byte in payload[index...].reversed() { rest = rest << 8 | UInt64(byte) }
        digest.mix(rest)
        return digest.value
    }
}
