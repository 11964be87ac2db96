import InferenceTypes
import Testing

@testable import InferenceAPI

/// Texts in other alphabets, and walks by the outline: both must be what byte by byte gives.
struct JSONOutlineTests {
    private static let scraps: [[UInt8]] = [
        Array("가".utf8), Array("하나 ".utf8), Array("é".utf8), Array("😀".utf8),
        Array("\u{FFFF}".utf8),
        Array("\u{800}\u{D7FF}\u{10FFFF}\u{80}".utf8), Array("plain text, ".utf8), [0x61],
        [0xED, 0xA0, 0x80], [0xE0, 0x9F, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xC0], [0x80], [0xE2],
        [0xF0, 0x8F, 0x80, 0x80], [0xF5], [0xC1, 0x81], [0x0A], Array("\\n".utf8),
        Array("\\uD83D\\ude00\\uD83D".utf8), Array("\\ubbf8\\u00e9\\u0041".utf8),
    ]

    /// Half of the texts are of sound scraps alone, so that long ones are accepted, too.
    @Test func takesExactlyWhatIsUTF8() {
        var random = RandomSource(seed: 11)
        var accepted = 0
        for round in 0..<4_000 {
            var text: [UInt8] = []
            for _ in 0..<random.nextIndex(below: 30) {
                let choices = round % 2 == 0 ? 8 : Self.scraps.count
                let scrap = random.nextIndex(below: 8) > 0 ? random.nextIndex(below: 8)
                    : random.nextIndex(below: choices)
                text += Self.scraps[scrap]
            }
            let isSound = String(validating: text, as: UTF8.self) != nil
                && !text.contains { $0 < 0x20 }
            let quote = [UInt8(ascii: "\"")]
            let whole = quote + text + quote
            let isValid = whole.withUnsafeBytes { JSONScanner.isValid($0, depth: 1) }
            if isValid != isSound { Issue.record("\(isSound) but \(isValid): \(text)") }
            accepted += isValid ? 1 : 0
        }
        #expect((2_000..<4_000).contains(accepted))
    }

    @Test func saysWhichByteIsWrong() {
        for padding in 0..<40 {
            let text = Array("\"".utf8) + Array(String(repeating: "가", count: padding).utf8)
                + [0xED, 0xA0, 0x80] + Array("가가가가가가가가\"".utf8)
            let failure = text.withUnsafeBytes { bytes in
                #expect(throws: JSONScanner.Failure.self) {
                    try JSONScanner(bytes).validate(depth: 1)
                }
            }
            #expect(failure == .init(reason: .invalidUTF8, offset: 1 + 3 * padding))
        }
    }

    /// Every node, as a list: kinds, texts, and the counts that the outline has noted.
    private func nodes(_ text: String, byReading: Bool) throws -> [String] {
        try Array(text.utf8).withUnsafeBytes { bytes in
            let document = try JSONDocument(validating: bytes, depth: 64)
            var list: [String] = []
            func visit(_ node: JSONDocument.Node) {
                let text = String(decoding: bytes[node.range], as: UTF8.self)
                list.append("\(document.kind(of: node)) \(text)")
                switch document.kind(of: node) {
                case .object:
                    document.forEachMember(of: node) { key, value in
                        visit(key)
                        visit(value)
                        return true
                    }
                case .array:
                    document.forEachElement(of: node) { element in
                        visit(element)
                        return true
                    }
                case .string:
                    let count = byReading
                        ? JSONText.unescapedCount(document.contents(of: node))
                        : document.textCount(of: node)
                    let hasEscapes = byReading
                        ? document.contents(of: node).contains(UInt8(ascii: "\\"))
                        : document.hasEscapes(node)
                    list.append("\(count) \(hasEscapes)")
                case .number, .true, .false, .null: break
                }
            }
            visit(byReading ? document.root.unnoted : document.root)
            return list
        }
    }

    @Test(arguments: [
        "{}", "[]", " {\"a\" : [ ] , \"b\":{ } }\n", "[1,-2.5e3,true,false,null,\"\",\"x\"]",
        #"{"k\u0065y":"\uD83D\uDE00\uD83Dx\n","long":"\#(String(repeating: "가a", count: 40))"}"#,
        "[[[[[[[[[[1,[2]],{\"a\":{\"b\":3}}]]]]]]]],4]", "\"alone\"", "12",
        #"{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"n":1}"#,
    ])
    func walksAsReadingDoes(text: String) throws {
        let noted = try nodes(text, byReading: false)
        #expect(try noted == nodes(text, byReading: true))
        #expect(!noted.isEmpty)
    }

    @Test func aTextOfTooManyValuesIsRead() throws {
        // The numbers, and three more.
        let most = JSONOutline.greatestCount - 3
        for count in [most, most + 1, most + 9] {
            let text = "[" + (0..<count).map { "\($0)" }.joined(separator: ",") + ",[7]]"
            #expect(try nodes(text, byReading: false) == nodes(text, byReading: true))
            try Array(text.utf8).withUnsafeBytes { bytes in
                let document = try JSONDocument(validating: bytes, depth: 64)
                #expect(document.hasOutline == (count == most))
            }
        }
    }
}
