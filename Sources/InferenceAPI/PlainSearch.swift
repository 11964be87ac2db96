/// Bytes of a JSON string that need no look: printable ASCII but quote and backslash.
extension ByteSearch {
    /// The first byte at or after `start` that needs a look, else the count.
    @inline(__always)
    static func skipPlain(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        // Most strings are short: up to 24 bytes are looked at on the spot, eight in one word.
        guard let base = bytes.baseAddress, start >= 0 else { return start }
        var offset = start
        while bytes.count &- offset >= 8, offset &- start < 24 {
            let word = (base + offset).loadUnaligned(as: UInt64.self)
            let marks = marks(UInt64(littleEndian: word))
            if marks != 0 { return offset &+ marks.trailingZeroBitCount / 8 }
            offset &+= 8
        }
        return skipLong(in: bytes, from: offset)
    }

    /// The highest bit of each byte that needs a look; bytes above the first of these may be marked
    /// by mistake.
    @inline(__always)
    private static func marks(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let hits =
            (quotes &- ones) | (backslashes &- ones) | (word &- ones &* 0x20) | word
        return hits & (ones &* 0x80)
    }

    /// The first quote or backslash of the `count` bytes at `base`, at or after `start`, else the
    /// count: for text that somebody else validates.
    @inline(__always)
    static func skipInString(
        _ base: UnsafeRawPointer, _ count: Int, from start: Int
    ) -> Int {
        // Most strings are short.
        var offset = start
        let near = min(count, start &+ 32)
        while near &- offset >= 8 {
            let word = (base + offset).loadUnaligned(as: UInt64.self)
            let ends = ends(UInt64(littleEndian: word))
            if ends != 0 { return offset &+ ends.trailingZeroBitCount / 8 }
            offset &+= 8
        }
        if count &- offset >= 8 { return skipFar(base, count, from: offset) }
        while offset < count {
            let byte = base.load(fromByteOffset: offset, as: UInt8.self)
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            offset &+= 1
        }
        return offset
    }

    /// The highest bit of each quote and backslash; bytes above the first may be marked by mistake.
    @inline(__always)
    private static func ends(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let hits = ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)
        return hits & (ones &* 0x80)
    }

    private static func skipFar(
        _ base: UnsafeRawPointer, _ count: Int, from start: Int
    ) -> Int {
        first(in: UnsafeRawBufferPointer(start: base, count: count), from: start) { bytes in
            equal(bytes, UInt8(ascii: "\"")) .| equal(bytes, UInt8(ascii: "\\"))
        }
    }

    private static func skipLong(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        first(in: bytes, from: start) { bytes in
            // As signed numbers, what is not ASCII is below the controls.
            (unsafeBitCast(bytes, to: SIMD16<Int8>.self) .< SIMD16(repeating: 0x20))
                .| equal(bytes, UInt8(ascii: "\""))
                .| equal(bytes, UInt8(ascii: "\\"))
        }
    }
}
