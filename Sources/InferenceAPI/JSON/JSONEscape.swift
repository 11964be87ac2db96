/// One escape of a JSON string: what it stands for and how many bytes it takes.
struct JSONEscape {
    private(set) var scalar: Unicode.Scalar
    private(set) var length: Int

    /// The escape whose backslash is at `offset`; at least one byte must follow it.
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        length = 2
        switch bytes[offset + 1] {
        case UInt8(ascii: "b"): scalar = "\u{08}"
        case UInt8(ascii: "f"): scalar = "\u{0C}"
        case UInt8(ascii: "n"): scalar = "\n"
        case UInt8(ascii: "r"): scalar = "\r"
        case UInt8(ascii: "t"): scalar = "\t"
        case UInt8(ascii: "u"):
            scalar = "\u{FFFD}"
            guard let high = Self.unit(bytes, at: offset) else { return }
            length = 6
            if let single = Unicode.Scalar(high) {
                scalar = single
                return
            }
            // Two halves of a character beyond the basic plane; anything else stays U+FFFD.
            guard high < 0xDC00, let low = Self.unit(bytes, at: offset + 6),
                (0xDC00...0xDFFF).contains(low)
            else { return }
            let value = 0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
            scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
            length = 12
        default: scalar = Unicode.Scalar(bytes[offset + 1])
        }
    }

    /// The same as `unit`, all of it in one word; `nil` also if fewer than eight bytes are left.
    @inline(__always)
    static func wholeUnit(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt32? {
        guard bytes.count &- offset >= 8 else { return nil }
        let word = UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        guard word & 0xFFFF == 0x755C else { return nil }
        let digits = UInt32(truncatingIfNeeded: word >> 16)
        let letters = digits | 0x2020_2020
        guard digits & 0x8080_8080 == 0 else { return nil }
        // The highest bit of each byte says that the byte is at least so much: no sum carries.
        let isDigit = (digits &+ 0x5050_5050) & ~(digits &+ 0x4646_4646) & 0x8080_8080
        let isLetter = (letters &+ 0x1F1F_1F1F) & ~(letters &+ 0x1919_1919) & 0x8080_8080
        guard isDigit | isLetter == 0x8080_8080 else { return nil }
        let nibbles = (digits & 0x0F0F_0F0F) &+ (isLetter >> 7) &* 9
        // The first digit is the lowest byte.
        let pairs = (nibbles << 4 | nibbles >> 8) & 0x00FF_00FF
        return (pairs & 0xFF) << 8 | pairs >> 16
    }

    /// The UTF-16 unit written as `\uXXXX` at `offset`, if one is.
    private static func unit(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt16? {
        guard bytes.count - offset >= 6, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for index in offset + 2..<offset + 6 {
            let digit = bytes[index] &- UInt8(ascii: "0")
            let letter = (bytes[index] | 0x20) &- UInt8(ascii: "a")
            if digit <= 9 {
                unit = unit << 4 | UInt16(digit)
            } else if letter <= 5 {
                unit = unit << 4 | UInt16(letter + 10)
            } else {
                return nil
            }
        }
        return unit
    }
}
