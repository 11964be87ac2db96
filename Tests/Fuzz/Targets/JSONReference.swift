/// JSON text (RFC 8259) read by recursive descent, as plainly as the grammar has it. Beside the
/// verdict it gives the number of values and the same text written otherwise: blanks between
/// tokens, and every plain character of a string as an escape.
struct JSONReference {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    private let greatestDepth: Int
    private(set) var values = 0
    private(set) var rewritten: [UInt8] = []

    private struct Mistake: Error {}

    /// `nil` if `bytes` are not one JSON value.
    init?(_ bytes: UnsafeRawBufferPointer, depth: Int) {
        self.bytes = bytes
        greatestDepth = depth
        do {
            try value(depth: 0)
            blanks()
        } catch { return nil }
        guard offset == bytes.count else { return nil }
    }

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func blanks() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            offset += 1
        }
        rewritten.append(0x20)
    }

    private mutating func take(_ byte: UInt8) throws {
        guard peek == byte else { throw Mistake() }
        offset += 1
        rewritten.append(byte)
    }

    private mutating func value(depth: Int) throws {
        blanks()
        values += 1
        switch peek {
        case UInt8(ascii: "{"): try container(UInt8(ascii: "{"), UInt8(ascii: "}"), depth + 1)
        case UInt8(ascii: "["): try container(UInt8(ascii: "["), UInt8(ascii: "]"), depth + 1)
        case UInt8(ascii: "\""): try string()
        default: try scalar()
        }
    }

    private mutating func container(_ open: UInt8, _ close: UInt8, _ depth: Int) throws {
        guard depth <= greatestDepth else { throw Mistake() }
        try take(open)
        blanks()
        if peek == close { return try take(close) }
        while true {
            if open == UInt8(ascii: "{") {
                blanks()
                try string()
                blanks()
                try take(UInt8(ascii: ":"))
            }
            try value(depth: depth)
            blanks()
            if peek == close { return try take(close) }
            try take(UInt8(ascii: ","))
        }
    }

    private mutating func string() throws {
        try take(UInt8(ascii: "\""))
        let start = offset
        while let byte = peek, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw Mistake() }
            if byte == UInt8(ascii: "\\") {
                let length = try escapeLength()
                rewritten.append(contentsOf: bytes[offset..<offset + length])
                offset += length
            } else {
                if byte < 0x80 { escape(byte) } else { rewritten.append(byte) }
                offset += 1
            }
        }
        guard String(validating: bytes[start..<offset], as: UTF8.self) != nil else {
            throw Mistake()
        }
        try take(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        let digits = Array("0123456789aBcDEf".utf8)
        rewritten.append(contentsOf: "\\u00".utf8)
        rewritten.append(digits[Int(byte >> 4)])
        rewritten.append(digits[Int(byte & 15)])
    }

    private func escapeLength() throws -> Int {
        guard offset + 1 < bytes.count else { throw Mistake() }
        guard bytes[offset + 1] == UInt8(ascii: "u") else {
            guard "\"\\/bfnrt".utf8.contains(bytes[offset + 1]) else { throw Mistake() }
            return 2
        }
        guard offset + 6 <= bytes.count else { throw Mistake() }
        for byte in bytes[(offset + 2)..<(offset + 6)] {
            guard "0123456789abcdefABCDEF".utf8.contains(byte) else { throw Mistake() }
        }
        return 6
    }

    private mutating func scalar() throws {
        let start = offset
        while let byte = peek, !" \t\n\r,]}".utf8.contains(byte) { offset += 1 }
        let word = bytes[start..<offset]
        let isName = ["true", "false", "null"].contains { word.elementsEqual($0.utf8) }
        guard isName || Self.isNumber(word) else { throw Mistake() }
        rewritten.append(contentsOf: word)
    }

    private static func isNumber(_ word: Slice<UnsafeRawBufferPointer>) -> Bool {
        var rest = word
        func digits() -> Int {
            let count = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let hasZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !hasZero || whole == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
                rest = rest.dropFirst()
            }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
