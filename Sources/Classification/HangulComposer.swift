/// Puts Hangul together that was written as separate letters: conjoining jamo, as some systems
/// store text, and compatibility jamo, as somebody writes who wants "대출" not to be found
/// ("ㄷㅐㅊㅜㄹ"). Consonants alone, as in "ㅋㅋ", stay.
///
/// A syllable is 0xAC00 + (lead x 21 + vowel) x 28 + tail (The Unicode Standard, 3.12).
enum HangulComposer {
    static func compose(_ scalars: inout [UInt32]) {
        guard scalars.contains(where: { isJamo($0) }) else { return }
        var result: [UInt32] = []
        result.reserveCapacity(scalars.count)
        var index = 0
        while index < scalars.count {
            guard index + 1 < scalars.count, let lead = lead(scalars[index]),
                let vowel = vowel(scalars[index + 1])
            else {
                result.append(scalars[index])
                index += 1
                continue
            }
            index += 2
            var syllable = 0xAC00 + (lead * 21 + vowel) * 28
            // A consonant ends this syllable unless it begins the next.
            if index < scalars.count, let tail = tail(scalars[index]),
                index + 1 >= scalars.count || self.vowel(scalars[index + 1]) == nil
            {
                syllable += tail
                index += 1
            }
            result.append(syllable)
        }
        scalars = result
    }

    private static func isJamo(_ scalar: UInt32) -> Bool {
        0x1100...0x11FF ~= scalar || 0x3131...0x3163 ~= scalar
    }

    private static func lead(_ scalar: UInt32) -> UInt32? {
        if 0x1100...0x1112 ~= scalar { return scalar - 0x1100 }
        return compatibility(scalar, leads)
    }

    private static func vowel(_ scalar: UInt32) -> UInt32? {
        if 0x1161...0x1175 ~= scalar { return scalar - 0x1161 }
        return 0x314F...0x3163 ~= scalar ? scalar - 0x314F : nil
    }

    private static func tail(_ scalar: UInt32) -> UInt32? {
        if 0x11A8...0x11C2 ~= scalar { return scalar - 0x11A7 }
        return compatibility(scalar, tails)
    }

    private static func compatibility(_ scalar: UInt32, _ places: [UInt8]) -> UInt32? {
        guard 0x3131...0x314E ~= scalar else { return nil }
        let place = places[Int(scalar - 0x3131)]
        return place == 255 ? nil : UInt32(place)
    }

    /// Of U+3131 to U+314E: the place among the leads, and among the tails; 255: in neither.
    private static let leads: [UInt8] = [
        0, 1, 255, 2, 255, 255, 3, 4, 5, 255, 255, 255, 255, 255, 255, 255, 6, 7, 8, 255, 9, 10,
        11, 12, 13, 14, 15, 16, 17, 18,
    ]
    private static let tails: [UInt8] = [
        1, 2, 3, 4, 5, 6, 7, 255, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 255, 18, 19, 20, 21, 22,
        255, 23, 24, 25, 26, 27,
    ]
}
