/// UTF-8 to scalars and back, for text that may be none.
enum UTF8Text {
    /// The scalar at `offset` and how many bytes it has; bytes that are no UTF-8 stand for
    /// themselves.
    static func scalar(in text: UnsafeRawBufferPointer, at offset: Int) -> (UInt32, Int) {
        let lead = text[offset]
        let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1
        guard length > 1, offset + length <= text.count else { return (UInt32(lead), 1) }
        var scalar = UInt32(lead) & (0x7F >> UInt32(length))
        for index in 1..<length {
            guard text[offset + index] & 0xC0 == 0x80 else { return (UInt32(lead), 1) }
            scalar = scalar << 6 | UInt32(text[offset + index] & 0x3F)
        }
        return (scalar, length)
    }

    static func append(_ scalar: UInt32, to result: inout [UInt8]) {
        switch scalar {
        case 0..<0x80: result.append(UInt8(truncatingIfNeeded: scalar))
        case 0..<0x800:
            result.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
            result.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        case 0..<0x10000:
            result.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            result.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            result.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        default:
            result.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
            result.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
            result.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            result.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        }
    }
}
