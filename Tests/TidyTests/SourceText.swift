/// One source file as the rules see it: the text, and the same text with everything that is not
/// code blanked out. Both have the same lines.
struct SourceText {
    /// Relative to the package, as in `Sources/Telemetry/MeterPage.swift`.
    let path: String
    let lines: [String]
    /// Comments and the insides of string literals are spaces.
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = Self.split(Array(text.utf8))
        var mask = CodeMask(Array(text.utf8))
        code = Self.split(mask.masked())
    }

    /// The folder below `Sources` or `Tests`.
    var room: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : ""
    }

    var fileName: String { path.split(separator: "/").last.map(String.init) ?? path }
    var isSource: Bool { path.hasPrefix("Sources/") }

    private static func split(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Blanks comments and string literals, newlines excepted. Code inside `\( )` is blanked with its
/// literal; regular expression literals are not known.
struct CodeMask {
    private let bytes: [UInt8]
    private var output: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        output = bytes
    }

    mutating func masked() -> [UInt8] {
        while position < bytes.count {
            if starts("//") {
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { blank() }
            } else if starts("/*") {
                blankComment()
            } else if let hashes = literalHashes() {
                blankLiteral(hashes: hashes)
            } else {
                position += 1
            }
        }
        return output
    }

    /// The number of `#` before a quote that opens here; nil if none does.
    private func literalHashes() -> Int? {
        var hashes = 0
        while unit(at: position + hashes) == UInt8(ascii: "#") { hashes += 1 }
        return unit(at: position + hashes) == UInt8(ascii: "\"") ? hashes : nil
    }

    private mutating func blankComment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                blank(2)
            } else if starts("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && position < bytes.count
    }

    private mutating func blankLiteral(hashes: Int) {
        position += hashes
        let marks = starts("\"\"\"") ? "\"\"\"" : "\""
        let escape = "\\" + String(repeating: "#", count: hashes)
        let close = marks + String(repeating: "#", count: hashes)
        position += marks.utf8.count
        while position < bytes.count, !starts(close) {
            if starts(escape + "(") {
                blank(escape.utf8.count)
                blankInterpolation()
            } else if starts(escape) {
                blank(escape.utf8.count + 1)
            } else if marks == "\"", bytes[position] == UInt8(ascii: "\n") {
                return
            } else {
                blank()
            }
        }
        position += close.utf8.count
    }

    private mutating func blankInterpolation() {
        var depth = 0
        repeat {
            if unit(at: position) == UInt8(ascii: "(") {
                depth += 1
                blank()
            } else if unit(at: position) == UInt8(ascii: ")") {
                depth -= 1
                blank()
            } else if let hashes = literalHashes() {
                let start = position
                blankLiteral(hashes: hashes)
                for index in start..<min(position, bytes.count)
                where bytes[index] != UInt8(ascii: "\n") {
                    output[index] = UInt8(ascii: " ")
                }
            } else {
                blank()
            }
        } while depth > 0 && position < bytes.count
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] != UInt8(ascii: "\n") { output[position] = UInt8(ascii: " ") }
            position += 1
        }
    }

    private func unit(at index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private func starts(_ text: String) -> Bool {
        position <= bytes.count && bytes[position...].starts(with: text.utf8)
    }
}
