/// A normalised text as places in a table of weights: its words, pairs of neighbouring words,
/// pairs of neighbouring syllables in Hangul words, the shape of numbers, telling marks and its
/// length. Hashed, so that no vocabulary is kept; two features may share a place.
public struct TextFeatures: Sendable {
    /// Places are below 2 to this power.
    public static let bits = 18
    /// Of a text with more, the first ones count.
    static let most = 512

    public private(set) var places: [UInt32] = []

    public init() {}

    /// Each kind begins its hash with a number of its own.
    private enum Kind: UInt64 {
        case word = 1, pair, shape, mark, length, syllables
    }

    public mutating func extract(_ text: UnsafeRawBufferPointer) {
        places.removeAll(keepingCapacity: true)
        var previous: UInt64 = 0
        var offset = 0
        while offset < text.count {
            let byte = text[offset]
            if Self.isWord(byte) {
                let start = offset
                while offset < text.count, Self.isWord(text[offset]) { offset += 1 }
                let word = UnsafeRawBufferPointer(rebasing: text[start..<offset])
                let hash = addWord(word)
                add(.pair, Self.mix(previous &* 31 &+ hash))
                previous = hash
            } else {
                if Self.isMark(byte) { add(.mark, UInt64(byte)) }
                offset += 1
            }
        }
        add(.pair, Self.mix(previous &* 31))
        // 0, 1 to 15, 16 to 31, 32 to 63 ... bytes.
        add(.length, UInt64(64 - (text.count / 16).leadingZeroBitCount))
        // What is there twice counts once.
        places.sort()
        var count = 0
        for index in places.indices where index == 0 || places[index] != places[index - 1] {
            places[count] = places[index]
            count += 1
        }
        places.removeLast(places.count - count)
    }

    private mutating func addWord(_ word: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var digits = 0
        var hasHangul = false
        for byte in word {
            // Of a number its length counts, not its digits.
            let isDigit = byte &- 48 < 10
            digits += isDigit ? 1 : 0
            hasHangul = hasHangul || 0xEA...0xED ~= byte
            hash = (hash ^ UInt64(isDigit ? 48 : byte)) &* 0x100_0000_01b3
        }
        add(.word, hash)
        if digits > 0 { add(.shape, UInt64(digits == word.count ? digits : 100)) }
        if hasHangul { addSyllables(word) }
        return hash
    }

    /// Korean words carry their grammar at the end: pairs of syllables find the stem.
    private mutating func addSyllables(_ word: UnsafeRawBufferPointer) {
        var offset = 0
        var before: UInt64 = 0
        while offset + 3 <= word.count {
            guard word[offset] >= 0xE0 else {
                offset += 1
                before = 0
                continue
            }
            let syllable = UInt64(word[offset]) << 16 | UInt64(word[offset + 1]) << 8
                | UInt64(word[offset + 2])
            if before != 0 { add(.syllables, before << 24 | syllable) }
            before = syllable
            offset += 3
        }
    }

    @inline(__always)
    private mutating func add(_ kind: Kind, _ value: UInt64) {
        guard places.count < Self.most else { return }
        let hash = Self.mix(value &+ kind.rawValue &* 0x9e37_79b9_7f4a_7c15)
        places.append(UInt32(truncatingIfNeeded: hash >> UInt64(64 - Self.bits)))
    }

    /// Every bit of the result depends on every bit of the value (the finaliser of SplitMix64).
    private static func mix(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    @inline(__always)
    private static func isWord(_ byte: UInt8) -> Bool {
        byte >= 0x80 || (byte | 0x20) &- 97 < 26 || byte &- 48 < 10 || byte == 39
    }

    private static func isMark(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "?"), UInt8(ascii: "$"), UInt8(ascii: "%"),
            UInt8(ascii: "*"), UInt8(ascii: "/"), UInt8(ascii: "&"), UInt8(ascii: "+"),
            UInt8(ascii: "@"), UInt8(ascii: "#"):
            true
        default: false
        }
    }
}
