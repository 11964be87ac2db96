/// Brings a text into the form in which tricks to evade a filter look like what they imitate, so
/// that one verdict serves all spellings and the scorer sees words. The model on the accelerator
/// gets the text as it came.
///
/// Undone: upper case, compatibility forms and look-alikes (``Lookalikes``), combining marks,
/// characters without width, unusual and repeated spaces, letters spaced out ("f r e e", "무 료
/// 대 출"), letters repeated beyond two, Hangul written as separate jamo. Digits stay
/// as they are: two messages with different codes are two messages. Links are read like all else;
/// where it matters which ones they are, ``MessageIdentity`` keeps them apart.
public struct TextNormaliser {
    /// Longer texts, in UTF-8 bytes, are not normalised: what lies beyond a cut could differ.
    public static let mostBytes = 4_096

    private var scalars: [UInt32] = []
    private var joined: [UInt32] = []
    /// The last text held a digit, a slash, a dot or an at sign, or what is read as one.
    private(set) var mayHoldParts = false

    public init() {}

    /// Replaces the contents of `result` with the normal form as UTF-8. False if the text is too
    /// long; `result` is then empty.
    public mutating func normalise(
        _ text: UnsafeRawBufferPointer, into result: inout [UInt8]
    ) -> Bool {
        result.removeAll(keepingCapacity: true)
        guard text.count <= Self.mostBytes else { return false }
        decode(text)
        HangulComposer.compose(&scalars)
        joinSpacedLetters()
        encode(into: &result)
        return true
    }

    // MARK: Characters

    /// Takes the text apart into scalars, each as what it is read as, spaces in one place only.
    private mutating func decode(_ text: UnsafeRawBufferPointer) {
        scalars.removeAll(keepingCapacity: true)
        mayHoldParts = false
        var offset = 0
        while offset < text.count {
            let byte = text[offset]
            if byte < 0x80 {
                offset += 1
                append(ascii: byte)
                continue
            }
            let (scalar, length) = UTF8Text.scalar(in: text, at: offset)
            offset += length
            append(scalar)
        }
        if scalars.last == Self.space { scalars.removeLast() }
    }

    private static let space: UInt32 = 0x20

    @inline(__always)
    private mutating func append(ascii byte: UInt8) {
        if byte <= 0x20 || byte == 0x7F {
            if let last = scalars.last, last != Self.space { scalars.append(Self.space) }
            return
        }
        // From the dot to the nine.
        if byte &- 0x2E <= 0x39 - 0x2E || byte == UInt8(ascii: "@") { mayHoldParts = true }
        let lower = byte &- 65 < 26 ? byte | 0x20 : byte
        appendLetter(UInt32(lower), isLetter: lower &- 97 < 26)
    }

    private mutating func append(_ scalar: UInt32) {
        if 0xAC00...0xD7A3 ~= scalar || 0x4E00...0x9FFF ~= scalar {
            appendLetter(scalar, isLetter: true)
            return
        }
        if Self.isInvisible(scalar) { return }
        if Self.isSpace(scalar) { return append(ascii: 0x20) }
        let ascii = Lookalikes.ascii(scalar)
        if ascii != 0 { return append(ascii: ascii) }
        appendLetter(Self.lower(scalar), isLetter: 0x1100...0x11FF ~= scalar ? false : true)
    }

    /// More than two of the same letter in a row say no more than two.
    @inline(__always)
    private mutating func appendLetter(_ scalar: UInt32, isLetter: Bool) {
        let count = scalars.count
        if isLetter, count >= 2, scalars[count - 1] == scalar, scalars[count - 2] == scalar {
            return
        }
        scalars.append(scalar)
    }

    /// Cyrillic and Greek that look like nothing Latin.
    private static func lower(_ scalar: UInt32) -> UInt32 {
        switch scalar {
        case 0x0391...0x03A9, 0x0410...0x042F: scalar + 0x20
        case 0x0400...0x040F: scalar + 0x50
        default: scalar
        }
    }

    static func isInvisible(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0xAD, 0x0300...0x036F, 0x0483...0x0489, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5,
            0x180B...0x180F, 0x1AB0...0x1AFF, 0x1DC0...0x1DFF, 0x200B...0x200F,
            0x202A...0x202E, 0x2060...0x206F, 0x20D0...0x20FF, 0x3099, 0x309A, 0x3164,
            0xFE00...0xFE0F, 0xFE20...0xFE2F, 0xFEFF, 0xFFA0, 0xFFF0...0xFFFD,
            0x1D173...0x1D17A, 0xE0000...0xE0FFF:
            true
        default: false
        }
    }

    static func isSpace(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x2800, 0x3000:
            true
        default: false
        }
    }

    // MARK: Spaced letters

    /// Three or more single letters in a row, with the same mark between them, are one word.
    private mutating func joinSpacedLetters() {
        // A quick look first: most texts have no such place.
        var index = 0
        var hasCandidate = false
        while index + 4 < scalars.count {
            if Self.isSeparator(scalars[index + 1]), scalars[index + 1] == scalars[index + 3],
                isLetter(index), isLetter(index + 2), isLetter(index + 4)
            {
                hasCandidate = true
                break
            }
            index += 1
        }
        guard hasCandidate else { return }
        joined.removeAll(keepingCapacity: true)
        index = 0
        while index < scalars.count {
            let end = endOfSpacedWord(from: index)
            if end - index >= 5 {
                for place in stride(from: index, to: end, by: 2) { joined.append(scalars[place]) }
                index = end
            } else {
                joined.append(scalars[index])
                index += 1
            }
        }
        swap(&scalars, &joined)
    }

    /// One past the letters spaced out from `start` on; `start` itself if there are none.
    private func endOfSpacedWord(from start: Int) -> Int {
        guard isLetter(start), start == 0 || !isLetter(start - 1), start + 1 < scalars.count,
            Self.isSeparator(scalars[start + 1])
        else { return start }
        let separator = scalars[start + 1]
        var end = start + 1
        while end + 1 < scalars.count, scalars[end] == separator, isLetter(end + 1),
            end + 2 >= scalars.count || !isLetter(end + 2)
        {
            end += 2
        }
        return end
    }

    private func isLetter(_ index: Int) -> Bool {
        let scalar = scalars[index]
        return scalar &- 97 < 26 || 0xAC00...0xD7A3 ~= scalar
    }

    private static func isSeparator(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x20, 0x2A, 0x2D, 0x2E, 0x5F, 0x7C: true
        default: false
        }
    }

    // MARK: Bytes

    private func encode(into result: inout [UInt8]) {
        for scalar in scalars { UTF8Text.append(scalar, to: &result) }
    }
}
