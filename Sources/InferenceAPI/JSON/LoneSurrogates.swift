extension JSONText {
    /// True if an escape between the quotes of a JSON string names one half of a character beyond
    /// the basic plane and the other half does not follow: JSON's grammar allows it, but it is no
    /// text, and no encoding of Unicode can carry it.
    public static func hasLoneSurrogate(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = ByteSearch.skipPlain(in: bytes, from: 0)
        while offset < bytes.count {
            if bytes[offset] == UInt8(ascii: "\\"), offset + 1 < bytes.count {
                let escape = JSONEscape(bytes, at: offset)
                // Whole escapes from D000 to D7FF stand for themselves.
                if escape.scalar == "\u{FFFD}", escape.length == 6,
                    bytes[offset + 2] | 0x20 == UInt8(ascii: "d")
                {
                    return true
                }
                offset += escape.length
            } else {
                offset += 1
            }
            offset = ByteSearch.skipPlain(in: bytes, from: offset)
        }
        return false
    }
}
