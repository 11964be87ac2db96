import InferenceTypes
import Testing

@testable import InferenceAPI

struct JSONValidatorTests {
    static let accepted = [
        "0", "-0", "1", "-1", "12.5", "1e5", "1E+5", "1e-5", "0.1e1", "1234567890123456789012",
        "true", "false", "null", "\"\"", "\"a\"", "[]", "{}", " [ ] ", "\t{\n}\r", "[1,2]",
        "[[],{}]", #"{"a":1}"#, #"{"a":{"b":[1,null,{"c":"d"}]}}"#, #"{"":0}"#, #"{"a":1,"a":2}"#,
        #""\" \\ \/ \b \f \n \r \t \u0000 \uD800 \uabCD""#, "\"\u{7F}\"", "\"\u{E9}\"",
        "\"\u{20AC}\"", "\"\u{1F600}\"", "\"\u{FFFF}\"", "\"\u{2028}\"", "[\"]\"]", #"{"}":"{"}"#,
    ]

    static let rejected = [
        "", " ", "01", "-", "+1", ".5", "1.", "1.e1", "1e", "1e+", "0x1", "1a", "NaN", "Infinity",
        "tru", "truee", "True", "nul", "\"", "\"a", "'a'", "[", "]", "{", "}", "[1", "[1,", "[1,]",
        "[,1]", "[1 2]", "[1}", "{]", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,"a":1}"#, "{a:1}",
        "{1:1}", #"{"a" 1}"#, #"{"a"::1}"#, "1 2", "{}{}", "[]]", #""\x""#, #""\u12""#,
        #""\u12G4""#, #""\"#, "\"\u{1F}\"", "\"\n\"", "\"\u{0}\"", "\u{FEFF}{}", "/**/1", "1//",
        "\u{A0}1", "\u{0C}1", "{}\u{0}",
    ]

    @Test(arguments: accepted) func acceptsJSON(_ text: String) {
        #expect(withBytes(text) { JSONScanner.isValid($0, depth: 64) })
    }

    @Test(arguments: rejected) func rejectsWhatIsNotJSON(_ text: String) {
        #expect(!withBytes(text) { JSONScanner.isValid($0, depth: 64) })
    }

    @Test func saysWhatIsWrongAndWhere() {
        let table: [(String, JSONScanner.Failure.Reason, Int)] = [
            ("", .unexpectedEnd, 0), ("[1,", .unexpectedEnd, 3), ("[x]", .unexpectedByte, 1),
            ("[1]]", .trailingBytes, 3), ("\"\\q\"", .invalidEscape, 2),
            ("[1.]", .invalidNumber, 3), ("\"a\n\"", .controlCharacter, 2),
        ]
        for (text, reason, offset) in table {
            let failure = withBytes(text) { bytes -> JSONScanner.Failure? in
                do throws(JSONScanner.Failure) {
                    _ = try JSONScanner(bytes).validate(depth: 64)
                    return nil
                } catch {
                    return error
                }
            }
            #expect(failure == JSONScanner.Failure(reason: reason, offset: offset), "\(text)")
        }
    }

    @Test(arguments: ["[", "{\"a\":"]) func boundsNesting(_ opening: String) {
        let closing = opening == "[" ? "]" : "}"
        func nested(_ depth: Int) -> String {
            String(repeating: opening, count: depth) + (opening == "[" ? "" : "1")
                + String(repeating: closing, count: depth)
        }
        #expect(withBytes(nested(64)) { JSONScanner.isValid($0, depth: 64) })
        #expect(!withBytes(nested(65)) { JSONScanner.isValid($0, depth: 64) })
        #expect(!withBytes(nested(65)) { JSONScanner.isValid($0, depth: 1_000_000) })
        #expect(!withBytes(nested(100_000)) { JSONScanner.isValid($0, depth: 64) })
        #expect(!withBytes(nested(3)) { JSONScanner.isValid($0, depth: 2) })
        #expect(!withBytes(nested(1)) { JSONScanner.isValid($0, depth: -1) })
    }

    static let invalidSequences: [[UInt8]] = [
        [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xC2, 0xC2],
        [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xE2, 0x28, 0xA1],
        [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
        [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
        [0xF0, 0x9F, 0x98], [0xF0, 0x9F, 0x28, 0x80], [0xFE], [0xFF],
    ]

    @Test(arguments: invalidSequences) func rejectsInvalidUTF8(_ sequence: [UInt8]) {
        // Every alignment to the eight bytes that are looked at together.
        for padding in 0..<17 {
            let quote = [UInt8(ascii: "\"")]
            let text = quote + [UInt8](repeating: 0x61, count: padding) + sequence
            for whole in [text, text + quote, text + Array("abcdefghi\"".utf8)] {
                #expect(!whole.withUnsafeBytes { JSONScanner.isValid($0, depth: 1) })
            }
        }
    }

    @Test func seesSpecialBytesAtEveryPosition() {
        for length in 1..<26 {
            for position in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var text = [UInt8](repeating: 0x21, count: length)
                    text[position] = byte
                    let isPlain = byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C
                    let stop = text.withUnsafeBytes { ByteSearch.skipPlain(in: $0, from: 0) }
                    if stop != (isPlain ? length : position) {
                        Issue.record("byte \(byte) at \(position) of \(length): \(stop)")
                    }
                }
            }
        }
    }

    @Test func neverTrapsOnGarbage() {
        var random = RandomSource(seed: 7)
        let alphabet = Array("{}[]\",:\\u0019.eE+-tfn alse\n".utf8) + [0xC3, 0xA9, 0xED, 0xFF, 0]
        for _ in 0..<20_000 {
            let count = random.nextIndex(below: 40)
            let text = (0..<count).map { _ in alphabet[random.nextIndex(below: alphabet.count)] }
            text.withUnsafeBytes { bytes in
                let scanner = JSONScanner(bytes)
                _ = JSONScanner.isValid(bytes, depth: 64)
                // The walks must hold on text that nobody validated, too.
                guard !bytes.isEmpty else { return }
                scanner.forEachMember(of: 0..<bytes.count) { _, _ in true }
                scanner.forEachElement(of: 0..<bytes.count) { _ in true }
                _ = UnaryUsage.usage(at: 0..<bytes.count, in: scanner)
            }
        }
    }
}
