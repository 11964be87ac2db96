/// The parts of a text that lead somewhere: what looks like a link, an address or a number, as it
/// stands there. The normal form takes look-alikes for one another; two links that do so are two
/// links.
///
/// A part is a word with a digit, a slash, an at sign or a dot between two letters in it.
/// Characters without width are left out, and a part that is spaced out goes together with its
/// pieces: the words around a dot with a space before it (after it, too, unless a sentence seems
/// to begin), and single characters next to a part.
struct ExactParts {
    private struct Word {
        var range: Range<Int>
        var isPart = false
        /// One piece with the word before it.
        var isJoined = false
        var isSingle: Bool { range.count == 1 }
    }

    private var scalars: [UInt32] = []
    private var words: [Word] = []

    private static let space: UInt32 = 0x20
    /// No text holds this byte.
    private static let separator: UInt8 = 0xFF

    mutating func append(of text: UnsafeRawBufferPointer, to result: inout [UInt8]) {
        decode(text)
        findWords()
        for place in words.indices { mark(place) }
        joinSingles()
        for word in words where word.isPart {
            if !word.isJoined { result.append(Self.separator) }
            for scalar in scalars[word.range] { UTF8Text.append(scalar, to: &result) }
        }
    }

    // MARK: Words

    private mutating func decode(_ text: UnsafeRawBufferPointer) {
        scalars.removeAll(keepingCapacity: true)
        var offset = 0
        while offset < text.count {
            let (scalar, length) = UTF8Text.scalar(in: text, at: offset)
            offset += length
            if scalar <= 0x20 || scalar == 0x7F || TextNormaliser.isSpace(scalar) {
                if let last = scalars.last, last != Self.space { scalars.append(Self.space) }
            } else if !Self.hasNoWidth(scalar) {
                scalars.append(scalar)
            }
        }
    }

    /// Marks on letters have no width of their own either, but make another letter of them.
    private static func hasNoWidth(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x0300...0x036F, 0x0483...0x0489, 0x1AB0...0x1AFF, 0x1DC0...0x1DFF,
            0x20D0...0x20FF, 0x3099, 0x309A, 0xFE20...0xFE2F:
            false
        default: TextNormaliser.isInvisible(scalar)
        }
    }

    private mutating func findWords() {
        words.removeAll(keepingCapacity: true)
        var start = 0
        for place in 0...scalars.count
        where place == scalars.count || scalars[place] == Self.space {
            if place > start { words.append(Word(range: start..<place)) }
            start = place + 1
        }
    }

    // MARK: Parts

    private mutating func mark(_ index: Int) {
        for place in words[index].range {
            switch Self.read(scalars[place]) {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "@"):
                words[index].isPart = true
            case UInt8(ascii: "."): markDot(at: place, in: index)
            default: break
            }
        }
    }

    /// A dot is part of a link if a letter stands on both sides, with spaces or without.
    private mutating func markDot(at place: Int, in index: Int) {
        let word = words[index].range
        let isFirst = place == word.lowerBound
        let isLast = place == word.upperBound - 1
        guard !isFirst || index > 0, !isLast || index + 1 < words.count else { return }
        let before = isFirst ? words[index - 1].range.upperBound - 1 : place - 1
        let after = isLast ? words[index + 1].range.lowerBound : place + 1
        guard Self.isLetter(scalars[before]), Self.isLetter(scalars[after]),
            isFirst || !isLast || !Self.beginsSentence(scalars[after])
        else { return }
        words[index].isPart = true
        if isFirst {
            words[index - 1].isPart = true
            words[index].isJoined = true
        }
        if isLast {
            words[index + 1].isPart = true
            words[index + 1].isJoined = true
        }
    }

    /// "h t t p" in front of a link is a piece of it, as is "c o m" behind.
    private mutating func joinSingles() {
        for index in words.indices.dropFirst()
        where words[index - 1].isPart && words[index].isSingle {
            words[index].isPart = true
            words[index].isJoined = true
        }
        for index in words.indices.dropFirst().reversed()
        where words[index].isPart && words[index - 1].isSingle {
            words[index - 1].isPart = true
            words[index].isJoined = true
        }
    }

    // MARK: Characters

    /// What the character is read as, if that is ASCII.
    private static func read(_ scalar: UInt32) -> UInt8 {
        scalar < 0x80 ? UInt8(truncatingIfNeeded: scalar) : Lookalikes.ascii(scalar)
    }

    private static func isLetter(_ scalar: UInt32) -> Bool {
        switch read(scalar) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case 0: scalar >= 0x80
        default: false
        }
    }

    private static func beginsSentence(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x41...0x5A, 0x1100...0x11FF, 0x3131...0x318E, 0x3400...0x9FFF, 0xAC00...0xD7A3:
            true
        default: false
        }
    }
}
