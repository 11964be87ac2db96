/// A place where a rule is broken.
struct Violation: Hashable, CustomStringConvertible {
    var path: String
    var line: Int
    var message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// One rule of the house, as a function of one file.
struct Rule {
    var name: String
    var check: @Sendable (SourceText) -> [Violation]

    /// Every rule that the sources are held to.
    static let all: [Rule] = [
        imports, bannedCalls, bannedWords, statedReasons, lineLength, functionLength,
        machinePaths,
    ]
}

extension SourceText {
    func violation(_ index: Int, _ message: String) -> Violation {
        Violation(path: path, line: index + 1, message: message)
    }
}

extension String {
    /// Positions of `word` where no identifier runs on into it on either side. A side that does
    /// not begin or end like an identifier needs no such end.
    func occurrences(of word: String) -> [Int] {
        let text = Array(utf8)
        let sought = Array(word.utf8)
        guard let first = sought.first, let last = sought.last, text.count >= sought.count else {
            return []
        }
        return (0...(text.count - sought.count)).filter { start in
            guard text[start] == first, text[start..<start + sought.count].elementsEqual(sought)
            else { return false }
            let end = start + sought.count
            let opens = !Self.isName(first) || start == 0 || !Self.isName(text[start - 1])
            let closes = !Self.isName(last) || end == text.count || !Self.isName(text[end])
            return opens && closes
        }
    }

    static func isName(_ unit: UInt8) -> Bool {
        switch unit {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: unit >= 0x80
        }
    }

    var trimmed: Substring {
        var text = self[...]
        while text.first?.isWhitespace ?? false { text.removeFirst() }
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return text
    }
}
