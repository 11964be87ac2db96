/// Reads `name="value"` pairs between braces.
struct LabelScanner {
    let page: [UInt8]
    var position: Int
    let end: Int
    /// A name without a proper value was met.
    private(set) var isMalformed = false

    init(page: [UInt8], position: Int, end: Int) {
        self.page = page
        self.position = position
        self.end = end
    }

    /// Name and value, still escaped; nil at the closing brace, at the end, or at a mistake.
    mutating func next() -> (name: Range<Int>, value: Range<Int>)? {
        while position < end, PrometheusSyntax.isBlank(page[position])
            || page[position] == UInt8(ascii: ",")
        { position += 1 }
        let nameStart = position
        while position < end, PrometheusSyntax.isName(page[position], first: position == nameStart)
        { position += 1 }
        let name = nameStart..<position
        guard !name.isEmpty else { return nil }
        isMalformed = true
        skipBlanks()
        guard take(UInt8(ascii: "=")) else { return nil }
        skipBlanks()
        guard take(UInt8(ascii: "\"")) else { return nil }
        let valueStart = position
        while position < end, page[position] != UInt8(ascii: "\"") {
            position += page[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < end else { return nil }
        position += 1
        isMalformed = false
        return (name, valueStart..<position - 1)
    }

    private mutating func skipBlanks() {
        while position < end, PrometheusSyntax.isBlank(page[position]) { position += 1 }
    }

    private mutating func take(_ unit: UInt8) -> Bool {
        guard position < end, page[position] == unit else { return false }
        position += 1
        return true
    }
}

/// Reads one line: `name{labels} value timestamp # exemplar`.
struct LineScanner {
    let page: [UInt8]
    var position: Int
    let end: Int

    var isAtEnd: Bool { position >= end }
    var peek: UInt8? { position < end ? page[position] : nil }

    mutating func skipBlanks() {
        while position < end, PrometheusSyntax.isBlank(page[position]) { position += 1 }
    }

    /// nil if the line is malformed.
    mutating func sample() -> PrometheusSample? {
        let start = position
        while position < end, PrometheusSyntax.isName(page[position], first: position == start) {
            position += 1
        }
        let name = start..<position
        guard !name.isEmpty else { return nil }
        skipBlanks()
        var labels = position..<position
        if peek == UInt8(ascii: "{") {
            guard let found = labelRange() else { return nil }
            labels = found
        } else if name.upperBound == position {
            return nil
        }
        skipBlanks()
        guard let word = word(), let value = PrometheusSyntax.number(page[word]) else {
            return nil
        }
        skipBlanks()
        var timestamp: Int64?
        if !isAtEnd, peek != UInt8(ascii: "#") {
            guard let word = self.word(),
                let time = PrometheusSyntax.timestamp(page[word])
            else { return nil }
            timestamp = time
            skipBlanks()
        }
        guard isAtEnd || peek == UInt8(ascii: "#") else { return nil }
        return PrometheusSample(
            page: page, nameRange: name, labelRange: labels, value: value, timestamp: timestamp)
    }

    /// The inside of the braces, once every pair in it was read.
    private mutating func labelRange() -> Range<Int>? {
        var scanner = LabelScanner(page: page, position: position + 1, end: end)
        let start = scanner.position
        while scanner.next() != nil {}
        guard !scanner.isMalformed, scanner.position < end,
            page[scanner.position] == UInt8(ascii: "}")
        else { return nil }
        position = scanner.position + 1
        return start..<scanner.position
    }

    private mutating func word() -> Range<Int>? {
        let start = position
        while position < end, !PrometheusSyntax.isBlank(page[position]) { position += 1 }
        return start == position ? nil : start..<position
    }
}

/// The bytes of the format.
enum PrometheusSyntax {
    static func isBlank(_ unit: UInt8) -> Bool {
        unit == UInt8(ascii: " ") || unit == UInt8(ascii: "\t") || unit == UInt8(ascii: "\r")
    }

    /// Letters, `_` and `:`, and digits after the first.
    static func isName(_ unit: UInt8, first: Bool) -> Bool {
        switch unit {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "_"), UInt8(ascii: ":"):
            true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): !first
        default: false
        }
    }

    /// `NaN`, `+Inf` and `-Inf` included; hexadecimal, which `Double` reads, is not.
    static func number(_ bytes: ArraySlice<UInt8>) -> Double? {
        guard bytes.count <= 64, !bytes.contains(where: { $0 == UInt8(ascii: "x")
            || $0 == UInt8(ascii: "X") })
        else { return nil }
        return Double(String(decoding: bytes, as: UTF8.self))
    }

    /// Milliseconds in the text format; OpenMetrics writes seconds with a fraction.
    static func timestamp(_ bytes: ArraySlice<UInt8>) -> Int64? {
        let text = String(decoding: bytes.prefix(32), as: UTF8.self)
        if let milliseconds = Int64(text) { return milliseconds }
        guard let seconds = Double(text), abs(seconds) < 1e15 else { return nil }
        return Int64(seconds * 1_000)
    }
}
