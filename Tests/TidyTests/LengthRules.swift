extension Rule {
    static let maxColumns = 100
    static let maxFunctionLines = 70

    static let lineLength = Rule(name: "line length") { source in
        source.lines.enumerated().filter { $0.element.count > maxColumns }
            .map { index, line in
                source.violation(index, "\(line.count) columns, at most \(maxColumns)")
            }
    }

    /// A long function of the sources needs `// long:` and a reason inside or right above, unless
    /// it is mostly one switch.
    static let functionLength = Rule(name: "function length") { source in
        guard source.isSource else { return [] }
        return FunctionScanner(source).functions().compactMap { function in
            let count = function.count
            guard count > maxFunctionLines else { return nil }
            let around = source.lines[max(0, function.lowerBound - 3)...function.upperBound]
            if around.contains(where: { $0.contains("// long:") }) { return nil }
            if FunctionScanner(source).longestSwitch(in: function) * 2 > count { return nil }
            return source.violation(
                function.lowerBound, "a function of \(count) lines, at most \(maxFunctionLines)")
        }
    }
}

/// Finds functions and their bodies by counting braces in masked code.
struct FunctionScanner {
    private let bytes: [UInt8]
    /// The line of each byte.
    private let lineOf: [Int]

    init(_ source: SourceText) {
        bytes = Array(source.code.joined(separator: "\n").utf8)
        var line = 0
        lineOf = bytes.map { unit in
            defer { if unit == UInt8(ascii: "\n") { line += 1 } }
            return line
        }
    }

    /// Lines from the keyword to the closing brace, counted from 0.
    func functions() -> [ClosedRange<Int>] {
        starts(of: ["func", "init", "deinit", "subscript"]).compactMap { start in
            guard let open = bodyStart(after: start), let close = closing(open) else {
                return nil
            }
            return lineOf[start]...lineOf[close]
        }
    }

    /// Lines of the longest switch statement that lies in `range`.
    func longestSwitch(in range: ClosedRange<Int>) -> Int {
        starts(of: ["switch"]).filter { range.contains(lineOf[$0]) }
            .compactMap { start in
                bytes[start...].firstIndex(of: UInt8(ascii: "{")).flatMap(closing)
                    .map { lineOf[$0] - lineOf[start] + 1 }
            }
            .max() ?? 0
    }

    /// Declarations only: a word after a dot, or `init` in a call, has no body anyway.
    private func starts(of words: [String]) -> [Int] {
        var result: [Int] = []
        var index = 0
        while index < bytes.count {
            guard String.isName(bytes[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < bytes.count, String.isName(bytes[index]) { index += 1 }
            let word = String(decoding: bytes[start..<index], as: UTF8.self)
            let isMember = start > 0 && bytes[start - 1] == UInt8(ascii: ".")
            if words.contains(word), !isMember { result.append(start) }
        }
        return result
    }

    /// The brace that opens the body; nil for a requirement, a call, or another use of the word.
    private func bodyStart(after start: Int) -> Int? {
        var depth = 0
        var index = start
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"):
                depth -= 1
                if depth < 0 { return nil }
            case UInt8(ascii: "{") where depth == 0: return index
            case UInt8(ascii: "}") where depth == 0: return nil
            case UInt8(ascii: "{"): index = closing(index) ?? bytes.count
            case UInt8(ascii: "\n") where depth == 0:
                guard continues(from: index + 1) else { return nil }
            default: break
            }
            index += 1
        }
        return nil
    }

    /// Does a line that starts here go on with a signature?
    private func continues(from start: Int) -> Bool {
        let rest = bytes[start...].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        return ["{", "(", "->", "where ", "throws", "async", "rethrows", "&"].contains { word in
            rest.starts(with: word.utf8)
        }
    }

    private func closing(_ open: Int) -> Int? {
        var depth = 0
        for index in open..<bytes.count {
            if bytes[index] == UInt8(ascii: "{") { depth += 1 }
            if bytes[index] == UInt8(ascii: "}") {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return nil
    }
}
