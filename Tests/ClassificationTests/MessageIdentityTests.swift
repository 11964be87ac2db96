import Testing

@testable import Classification

@Suite struct MessageIdentityTests {
    private func identity(_ text: String) -> [UInt8] {
        var identity = MessageIdentity()
        #expect(Array(text.utf8).withUnsafeBytes { identity.read($0) })
        return identity.bytes
    }

    @Test(arguments: [
        ("see http://gooogle.example", "see http://google.example"),
        ("see GOOGLE.example/Ab", "see google.example/aB"),
        // Cyrillic a, fullwidth letters, an accent.
        ("http://p\u{0430}y.example", "http://pay.example"),
        ("\u{FF50}ay.example", "pay.example"),
        ("pay\u{0301}.example", "pay.example"),
        ("visit g.o.o.d.s now", "visit goods now"),
        ("visit goood . example", "visit good . example"),
        ("visit goood . Example", "visit good . Example"),
        ("visit goood. example", "visit good. example"),
        ("E V I L . C O M", "e v i l . c o m"),
        ("h t t p://ev\u{0456}l.example", "h t t p://evil.example"),
        ("write to Bob@a", "write to bob@a"),
        ("good\u{3002}example", "good.example"),
        ("call 010-1234-5678", "call 010-1234-5679"),
        ("call 0\u{FF11}0", "call 010"),
        ("code AB12", "code ab12"),
        ("a/b", "A/b"),
    ])
    func linksAndNumbersAreExact(_ one: String, _ other: String) {
        #expect(identity(one) != identity(other))
        // What the normal form alone takes for the same, or not.
        #expect(identity(one) == identity(one) && identity(other) == identity(other))
    }

    @Test(arguments: [
        ("FREE prize, claim now", "ｆｒｅｅ  PRI\u{200B}ZE, claim now"),
        ("go to http://evil.example/x", "GO to   http://ev\u{200B}il.exam\u{2060}ple/x"),
        ("call 010-1234", "CALL\u{00A0}010-12\u{FEFF}34"),
        ("Hello. How are you", "hellо. how are you".replacing("how", with: "How")),
        ("안녕하세요. 반갑습니다", "안녕하세요.  반갑습니다"),
        ("f r e e prize", "free prize"), ("Frée!", "free!"),
    ])
    func tricksElsewhereAreUndone(_ one: String, _ other: String) {
        #expect(identity(one) == identity(other))
    }

    @Test func nothingOnEitherSideOfTheBoundaryMeets() {
        #expect(identity("a") != identity("a 1"))
        #expect(identity("1 2") != identity("12"))
        #expect(identity("a.b c.d") != identity("a.bc.d"))
    }

    @Test func bytesThatAreNoTextHarmNobody() {
        var identity = MessageIdentity()
        for seed in 0..<4_000 {
            var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
            let text = (0..<(seed % 48)).map { place -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1
                // Many dots and spaces among them.
                if state >> 61 == 0 { return UInt8(ascii: ".") }
                if state >> 61 == 1 { return UInt8(ascii: " ") }
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            let isTaken = text.withUnsafeBytes { identity.read($0) }
            #expect(isTaken)
        }
    }
}
