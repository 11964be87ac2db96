import InferenceTypes
import Testing

@testable import InferenceAPI

struct JSONTextTests {
    static let texts: [(escaped: String, text: String)] = [
        ("", ""), ("abc", "abc"), (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#"\u0041\u00e9\u20AC"#, "A\u{E9}\u{20AC}"), (#"\uD83D\uDE00"#, "\u{1F600}"),
        (#"x\ud83dy"#, "x\u{FFFD}y"), (#"\uDE00"#, "\u{FFFD}"),
        (#"\uD83D\uD83D\uDE00"#, "\u{FFFD}\u{1F600}"), (#"\uD83D\n"#, "\u{FFFD}\n"),
        (#"\uDE00\uD83D"#, "\u{FFFD}\u{FFFD}"), (#"\u0000"#, "\u{0}"),
    ]

    @Test func undoesEscapes() {
        for (escaped, text) in Self.texts {
            let (undone, count) = withBytes(escaped) {
                (JSONText.unescaped($0), JSONText.unescapedCount($0))
            }
            #expect(undone.utf8.elementsEqual(text.utf8), "\(escaped)")
            #expect(count == text.utf8.count, "\(escaped)")
        }
    }

    /// Four digits are read in one word: every byte in every place must be told from a digit.
    @Test func readsUnitsInOneWordAsDigitByDigit() {
        var random = RandomSource(seed: 13)
        for round in 0..<40_000 {
            var text = Array("\\u0000..".utf8)
            for place in 2..<6 {
                let digits = Array("0123456789abcdefABCDEF".utf8)
                text[place] = digits[random.nextIndex(below: digits.count)]
            }
            if round % 2 == 0 {
                text[random.nextIndex(below: 6)] = UInt8(random.nextIndex(below: 256))
            }
            let isUnit = text[0] == UInt8(ascii: "\\") && text[1] == UInt8(ascii: "u")
                && text[2..<6].allSatisfy { Character(Unicode.Scalar($0)).isASCII }
            let value = UInt32(String(decoding: text[2..<6], as: UTF8.self), radix: 16)
            let hasSign = text[2] == UInt8(ascii: "+") || text[2] == UInt8(ascii: "-")
            let expected = isUnit && !hasSign ? value : nil
            let unit = text.withUnsafeBytes { JSONEscape.wholeUnit($0, at: 0) }
            if unit != expected { Issue.record("\(text): \(String(describing: unit))") }
        }
    }

    @Test func toleratesBrokenEscapes() {
        for text in ["\\", "a\\", "\\u", "\\u12", "\\uD83D\\", "\\uD83D\\u", "\\q", "\\uZZZZ"] {
            let (undone, count) = withBytes(text) {
                (JSONText.unescaped($0), JSONText.unescapedCount($0))
            }
            #expect(undone.utf8.count == count)
        }
    }

    @Test func writesWhatItReads() {
        var random = RandomSource(seed: 3)
        for _ in 0..<500 {
            var text = ""
            for _ in 0..<random.nextIndex(below: 20) {
                let value = random.nextIndex(below: random.nextUnit() < 0.5 ? 0x80 : 0x11_0000)
                text.unicodeScalars.append(Unicode.Scalar(UInt32(value)) ?? "x")
            }
            var bytes: [UInt8] = []
            JSONText.append(text, to: &bytes)
            #expect(bytes.withUnsafeBytes { JSONScanner.isValid($0, depth: 1) })
            let inner = Array(bytes.dropFirst().dropLast())
            let back = inner.withUnsafeBytes(JSONText.unescaped)
            #expect(back.utf8.elementsEqual(text.utf8))
        }
    }

    @Test func escapesControlCharacters() {
        var bytes: [UInt8] = []
        JSONText.append("\u{0}\u{1F}\n\"\\/\u{7F}", to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "\"\\u0000\\u001f\\n\\\"\\\\/\u{7F}\"")
    }

    @Test(arguments: [
        ("plain", false), ("", false), (#"\\ud800"#, false), (#"\ud83d\ude00"#, false),
        (#"\ufffd"#, false), (#"\ud7ff"#, false), (#"\ue000"#, false), (#"\ud800"#, true),
        (#"a\uDFFF"#, true), (#"\ude00\ud83d"#, true), (#"\ud83d\ud83d\ude00"#, true),
        (#"\ud83d \ude00"#, true), (#"\n\ud83dx"#, true),
    ])
    func halvesOfCharactersAreSeen(_ text: String, _ isThere: Bool) {
        Array(text.utf8).withUnsafeBytes {
            #expect(InferenceAPI.JSONText.hasLoneSurrogate($0) == isThere)
        }
    }
}
