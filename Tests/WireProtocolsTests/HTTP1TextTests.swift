import InferenceTypes
import Testing

@testable import WireProtocols

@Suite struct HTTP1TextTests {
    /// Byte by byte, as RFC 9110 5.6.2 has it.
    private func endOfName(_ line: [UInt8]) -> (end: Int, hasCapitals: Bool) {
        let signs = Array("!#$%&'*+-.^_`|~".utf8)
        let end = line.firstIndex { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                false
            default: !signs.contains(byte)
            }
        }
        let name = line[..<(end ?? line.count)]
        return (name.count, name.contains { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 })
    }

    private func check(_ line: [UInt8]) {
        let expected = endOfName(line)
        var hasCapitals = false
        let end = line.withUnsafeBytes { HTTP1Text.endOfName($0, hasCapitals: &hasCapitals) }
        #expect(end == expected.end && hasCapitals == expected.hasCapitals, "\(line)")
    }

    @Test func aNameEndsAtTheFirstByteThatIsNoToken() {
        for place in 0..<20 {
            for byte in UInt8.min...UInt8.max {
                var line = Array("content-type-of-it:X".utf8)
                line[place] = byte
                check(line)
            }
        }
    }

    @Test func capitalsAreSeenInNamesAndNotBehindThem() {
        var random = RandomSource(seed: 7)
        let alphabet = Array("abcxyzABCXYZ-_09:; @[`{\u{7f}".utf8) + [0x80, 0xC1, 0xFF]
        for _ in 0..<20_000 {
            check(
                (0..<random.nextIndex(below: 30)).map { _ in
                    alphabet[random.nextIndex(below: random.nextIndex(below: 3) == 0 ? 35 : 13)
                        % alphabet.count]
                })
        }
    }

    @Test(arguments: [
        "te", "host", "expect", "trailer", "connection", "content-length", "http2-settings",
        "transfer-encoding",
    ])
    func namesAreEqualWhateverTheCaseOfTheirLetters(name: String) throws {
        let text: StaticString =
            switch name {
            case "te": "te"
            case "host": "host"
            case "expect": "expect"
            case "trailer": "trailer"
            case "connection": "connection"
            case "content-length": "content-length"
            case "http2-settings": "http2-settings"
            default: "transfer-encoding"
            }
        func isName(_ bytes: [UInt8]) -> Bool {
            bytes.withUnsafeBytes { HTTP1Text.isName($0, text) }
        }
        let bytes = Array(name.utf8)
        #expect(isName(bytes) && isName(Array(name.uppercased().utf8)))
        #expect(!isName(bytes + [UInt8(ascii: "x")]) && !isName(bytes.dropLast()))
        for place in bytes.indices {
            for byte in UInt8.min...UInt8.max where HTTP1Text.isToken(byte) {
                var other = bytes
                other[place] = byte
                #expect(isName(other) == (HTTP1Text.lowercased(byte) == bytes[place]))
            }
        }
    }

    /// Each byte alone and among others, at every place of a word.
    @Test func hostsAndPathsAreSpelledWithTheirOwnBytes() {
        let noHost = Set(Array(UInt8(0)...0x20) + Array(0x7F...0xFF) + Array("/\\?#@,\"<>".utf8))
        for byte in UInt8.min...UInt8.max {
            for place in 0..<19 {
                var text = Array("example.invalid:8080".utf8)
                text[place] = byte
                text.withUnsafeBytes { text in
                    #expect(HTTP1Text.isHost(text) == !noHost.contains(byte))
                    #expect(HTTP1Text.isPath(text) == (byte < 0x80 && byte != UInt8(ascii: "#")))
                }
            }
        }
        #expect(!HTTP1Text.isHost(UnsafeRawBufferPointer(start: nil, count: 0)))
        #expect(HTTP1Text.isPath(UnsafeRawBufferPointer(start: nil, count: 0)))
    }
}
