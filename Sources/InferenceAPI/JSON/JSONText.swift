/// JSON strings to text and back.
public enum JSONText {
    /// Appends `string` quoted, with escapes where RFC 8259 asks for them.
    public static func append(_ string: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 { appendEscaped(byte, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The text between the quotes of a JSON string. A surrogate without its other half becomes
    /// U+FFFD.
    public static func unescaped(_ bytes: UnsafeRawBufferPointer) -> String {
        guard bytes.contains(UInt8(ascii: "\\")) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        return String(decoding: unescapedBytes(bytes), as: UTF8.self)
    }

    /// Replaces `text` by what stands between the quotes of a JSON string, escapes undone.
    public static func unescape(_ bytes: UnsafeRawBufferPointer, into text: inout [UInt8]) {
        text.removeAll(keepingCapacity: true)
        guard bytes.contains(UInt8(ascii: "\\")) else {
            text.append(contentsOf: bytes)
            return
        }
        text.append(contentsOf: unescapedBytes(bytes))
    }

    /// The same as bytes, for comparisons that must not take canonically equivalent texts as equal.
    static func unescapedBytes(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var offset = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\\"), offset + 1 < bytes.count {
                let escape = JSONEscape(bytes, at: offset)
                text.append(contentsOf: Unicode.UTF8.encode(escape.scalar) ?? replacement)
                offset += escape.length
            } else {
                text.append(byte)
                offset += 1
            }
        }
        return text
    }

    /// How many UTF-8 bytes the text between the quotes has once its escapes are undone.
    static func unescapedCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        var count = bytes.count
        var offset = ByteSearch.skipPlain(in: bytes, from: 0)
        while offset < bytes.count {
            if bytes[offset] == UInt8(ascii: "\\"), offset + 1 < bytes.count {
                let escape = JSONEscape(bytes, at: offset)
                count += UTF8.width(escape.scalar) - escape.length
                offset += escape.length
            } else {
                offset += 1
            }
            offset = ByteSearch.skipPlain(in: bytes, from: offset)
        }
        return count
    }

    private static let replacement = Unicode.UTF8.encodedReplacementCharacter

    private static func appendEscaped(_ byte: UInt8, to bytes: inout [UInt8]) {
        let short: UInt8
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): short = byte
        case 0x08: short = UInt8(ascii: "b")
        case 0x09: short = UInt8(ascii: "t")
        case 0x0A: short = UInt8(ascii: "n")
        case 0x0C: short = UInt8(ascii: "f")
        case 0x0D: short = UInt8(ascii: "r")
        case 0..<0x20:
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(UInt8(ascii: "0") + byte >> 4)
            let low = byte & 0x0F
            bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
            return
        default:
            bytes.append(byte)
            return
        }
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(short)
    }
}
