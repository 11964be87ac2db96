import Testing

@testable import EmulatedServer

@Suite struct EmulatedTextTests {
    @Test func firstTokenNamesTheKey() {
        let key = EmulatedText.Key(Array("a".utf8))
        // FNV-1a of "a" as its authors publish it.
        #expect(key.value == 0xAF63_DC4C_8601_EC8C)
        #expect(EmulatedText.text(for: key, tokens: 0..<1) == "«af63dc4c»")
        #expect(EmulatedText.text(for: key, tokens: 0..<40).hasPrefix("«af63dc4c»"))
    }

    @Test func lengthsLieBetween16And256() {
        for seed in 0..<500 {
            let key = EmulatedText.Key(Array("\(seed)".utf8))
            #expect((16...256).contains(EmulatedText.naturalLength(of: key)))
        }
    }

    @Test func wordsAreWholeAndNotTheMark() {
        for word in EmulatedText.words { #expect(!word.isEmpty && !word.contains("«")) }
        #expect(EmulatedText.words.count > 40)
    }

    @Test func positionIsFoundAtEveryByte() {
        let key = EmulatedText.Key(Array("question".utf8))
        let whole = Array(EmulatedText.text(for: key, tokens: 0..<30).utf8)
        for count in whole.indices {
            let position = EmulatedText.position(after: Array(whole[..<count]), of: key)
            #expect(position.isOwn)
            var rest: [UInt8] = []
            for index in position.token..<30 { EmulatedText.append(index, of: key, to: &rest) }
            #expect(Array(rest.dropFirst(position.offset)) == Array(whole[count...]))
        }
    }

    @Test func foreignWordsGoOnAtAToken() {
        let key = EmulatedText.Key(Array("question".utf8))
        let position = EmulatedText.position(after: Array("Sure! Here is".utf8), of: key)
        #expect(!position.isOwn)
        #expect(position.offset == 0)
        #expect(position.token > 0)
    }

    @Test func promptWithItsAnswersBeginningIsSplit() {
        let prompt = Array("Q: why? A:".utf8)
        let key = EmulatedText.Key(prompt)
        let said = Array(EmulatedText.text(for: key, tokens: 0..<7).utf8)
        let split = EmulatedText.split(prompt: prompt + said)
        #expect(split.key == key)
        #expect(split.position.token == 7)
        // An older answer in the middle is prompt.
        let second = prompt + said + Array(" Q: and now?".utf8)
        #expect(EmulatedText.split(prompt: second).key == EmulatedText.Key(second))
    }
}
