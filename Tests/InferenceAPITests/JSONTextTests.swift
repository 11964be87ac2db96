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
}
