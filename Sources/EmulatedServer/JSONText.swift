import InferenceAPI

/// JSON and page text under construction.
struct JSONText {
    var bytes: [UInt8] = []

    mutating func append(_ text: StaticString) {
        bytes.append(
            contentsOf: UnsafeBufferPointer(
                start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func append(_ other: [UInt8]) { bytes.append(contentsOf: other) }

    mutating func append(number: Int) {
        guard number >= 0, number < 10_000 else {
            append(text: String(number))
            return
        }
        var power = number >= 1_000 ? 1_000 : number >= 100 ? 100 : number >= 10 ? 10 : 1
        while power > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / power % 10))
            power /= 10
        }
    }

    /// Finite numbers as they are; others as 0, since JSON has no word for them.
    mutating func append(number: Double) {
        append(text: number.isFinite ? "\(number)" : "0")
    }

    mutating func append(quoted text: String) {
        append("\"")
        appendEscaped(Array(text.utf8))
        append("\"")
    }

    /// What stands between the quotes of a JSON string.
    mutating func appendEscaped(_ text: [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case 10: append("\\n")
            case 13: append("\\r")
            case 9: append("\\t")
            case 0..<32:
                append("\\u00")
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}

extension JSONScanner {
    /// The text of the string at `range` with its escapes undone; empty for other values.
    func text(_ range: Range<Int>) -> [UInt8] {
        guard kind(at: range.lowerBound) == .string, range.count >= 2 else { return [] }
        let inner = UnsafeRawBufferPointer(
            rebasing: bytes[range.lowerBound + 1..<range.upperBound - 1])
        guard inner.contains(UInt8(ascii: "\\")) else { return Array(inner) }
        var text: [UInt8] = []
        text.reserveCapacity(inner.count)
        var index = 0
        while index < inner.count {
            let byte = inner[index]
            guard byte == UInt8(ascii: "\\"), index + 1 < inner.count else {
                text.append(byte)
                index += 1
                continue
            }
            switch inner[index + 1] {
            case UInt8(ascii: "n"): text.append(10)
            case UInt8(ascii: "t"): text.append(9)
            case UInt8(ascii: "r"): text.append(13)
            case UInt8(ascii: "b"): text.append(8)
            case UInt8(ascii: "f"): text.append(12)
            case UInt8(ascii: "u"):
                index = Self.appendUnicode(inner, at: index, to: &text)
                continue
            default: text.append(inner[index + 1])
            }
            index += 2
        }
        return text
    }

    func string(_ range: Range<Int>) -> String { String(decoding: text(range), as: UTF8.self) }

    /// Undoes the `\uXXXX` at `start` and the low surrogate after it; returns where to go on.
    private static func appendUnicode(
        _ bytes: UnsafeRawBufferPointer, at start: Int, to text: inout [UInt8]
    ) -> Int {
        guard let first = unit(bytes, at: start) else { return start + 2 }
        var next = start + 6
        var scalar = UInt32(first)
        if first & 0xFC00 == 0xD800, let second = unit(bytes, at: next),
            second & 0xFC00 == 0xDC00
        {
            scalar = 0x10000 + (UInt32(first & 0x3FF) << 10) + UInt32(second & 0x3FF)
            next += 6
        }
        let character = Unicode.Scalar(scalar) ?? "\u{FFFD}"
        text.append(contentsOf: String(Character(character)).utf8)
        return next
    }

    private static func unit(_ bytes: UnsafeRawBufferPointer, at start: Int) -> UInt16? {
        guard start + 6 <= bytes.count, bytes[start] == UInt8(ascii: "\\"),
            bytes[start + 1] == UInt8(ascii: "u")
        else { return nil }
        let digits = String(decoding: bytes[start + 2..<start + 6], as: UTF8.self)
        return UInt16(digits, radix: 16)
    }
}
