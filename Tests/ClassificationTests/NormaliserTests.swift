import Testing

@testable import Classification

@Suite struct NormaliserTests {
    private func normal(_ text: String) -> String {
        var normaliser = TextNormaliser()
        var bytes: [UInt8] = []
        _ = Array(text.utf8).withUnsafeBytes { normaliser.normalise($0, into: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("Hello,  WORLD\n\tagain ", "hello, world again"),
        ("ＦＲＥＥ　ｐｒｉｚｅ", "free prize"),
        ("𝓕𝓻𝓮𝓮 𝟏𝟎𝟎 Ⓦⓘⓝ 🅵🆁🅴🅴", "free 100 win free"),
        ("Frée prïze ñ", "free prize n"),
        ("Fre\u{0301}e", "free"),
        ("fr\u{200B}e\u{200D}e\u{2060} \u{00AD}pr\u{FEFF}ize", "free prize"),
        // Cyrillic and Greek that look Latin.
        ("Frее рrіzе ΡΑΥΡΑL", "free prize paypal"),
        ("f r e e   prize p.r.i.z.e", "free prize prize"),
        ("now: f r e e!", "now: free!"),
        ("w-i-n c_a_s_h", "win cash"),
        ("a b, c d", "a b, c d"),
        ("I am a man", "i am a man"),
        ("soooooo goooood", "soo good"),
        ("1000000 111", "1000000 111"),
        ("무 료 대 출", "무료대출"),
        ("ㄷㅐㅊㅜㄹ ㅋㅋㅋㅋ", "대출 ㅋㅋ"),
        ("\u{1106}\u{116E}\u{1105}\u{116D}", "무료"),
        ("안녕하세요", "안녕하세요"),
        ("привет", "пpиbet"),
        ("", ""), ("   ", ""), ("\u{200B}", ""),
    ])
    func tricksAreUndone(_ text: String, _ expected: String) {
        #expect(normal(text) == expected)
    }

    @Test func decomposedAndPrecomposedHangulAreOne() {
        for scalar in stride(from: 0xAC00, through: 0xD7A3, by: 37) {
            guard let unicode = Unicode.Scalar(UInt32(scalar)) else { continue }
            let offset = scalar - 0xAC00
            var jamo = [0x1100 + offset / 588, 0x1161 + offset % 588 / 28]
            if offset % 28 > 0 { jamo.append(0x11A7 + offset % 28) }
            let apart = String(
                String.UnicodeScalarView(jamo.compactMap { Unicode.Scalar(UInt32($0)) }))
            #expect(normal(apart).unicodeScalars.elementsEqual([unicode]))
        }
    }

    @Test func whatIsNormalStaysSo() {
        for text in ["f.r.e.e 무 료 ㄷㅐ", "ＡＢＣ  𝕏𝕐", "Ünïcödé  ｶﾞ", "\u{1100}\u{1100}\u{1161}"] {
            #expect(normal(normal(text)) == normal(text))
        }
    }

    @Test func otherCodesAreOtherTexts() {
        #expect(normal("code 12345") != normal("code 12346"))
        #expect(normal("http://a.example/x") != normal("http://a.example/y"))
    }

    @Test func textsThatAreTooLongAreLeftAlone() {
        var normaliser = TextNormaliser()
        var bytes: [UInt8] = [1]
        let longest = [UInt8](repeating: 97, count: TextNormaliser.mostBytes)
        #expect(longest.withUnsafeBytes { normaliser.normalise($0, into: &bytes) })
        let longer = longest + [97]
        #expect(!longer.withUnsafeBytes { normaliser.normalise($0, into: &bytes) })
        #expect(bytes.isEmpty)
    }

    @Test func bytesThatAreNoUTF8HarmNobody() {
        var normaliser = TextNormaliser()
        var bytes: [UInt8] = []
        for seed in 0..<2_000 {
            var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
            let text = (0..<(seed % 40)).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            let isTaken = text.withUnsafeBytes { normaliser.normalise($0, into: &bytes) }
            #expect(isTaken)
            #expect(String(validating: bytes, as: UTF8.self) != nil || !text.isEmpty)
        }
    }
}
