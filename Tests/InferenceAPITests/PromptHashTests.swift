import InferenceTypes
import Testing

@testable import InferenceAPI

@Suite struct PromptHashTests {
    private static let hash: PromptHash = {
        var random = RandomSource(seed: 7)
        return PromptHash(random: &random)
    }()

    private func text(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = RandomSource(seed: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    /// The hash of each beginning that `ends` names, asked for in this order of one pass.
    private func hashes(_ text: [UInt8], _ ends: some Swift.Sequence<Int>) -> [UInt64] {
        text.withUnsafeBytes { bytes in
            var stepper = PromptHash.Stepper(Self.hash)
            return ends.map { stepper.hash(of: bytes, upTo: $0) }
        }
    }

    @Test func aBeginningHashesAlikeHoweverOneGotThere() {
        let text = text(300)
        let byByte = hashes(text, 0...300)
        for end in 0...300 {
            #expect(hashes(text, [end]) == [byByte[end]])
            #expect(hashes(text, [end / 3, end / 2, end]).last == byByte[end])
            #expect(hashes(Array(text[..<end]), [end]) == [byByte[end]])
        }
        #expect(Set(byByte).count == 301)
    }

    @Test func everyByteAndTheLengthCount() {
        for count in [1, 7, 8, 31, 32, 33, 64, 100] {
            let text = text(count)
            let whole = hashes(text, [count])
            for index in text.indices {
                var other = text
                other[index] ^= 0x20
                #expect(hashes(other, [count]) != whole)
            }
            #expect(hashes(text + [0], [count + 1]) != whole)
        }
    }

    // MARK: Bodies

    private func prefix(
        _ body: String, tenant: Int = 0, model: Int = 0, task: InferenceTask = .chat
    ) throws -> PromptPrefix {
        try Array(body.utf8).withUnsafeBytes { bytes in
            let parsed = try ParsedRequest.parse(task: task, body: bytes, limits: Limits())
            return parsed.prefix(in: bytes, Self.hash.salted(tenant: tenant, model: model))
        }
    }

    private func body(_ messages: [String], more: String = "") -> String {
        let list = messages.enumerated().map { index, text in
            "{\"role\":\"\(index % 2 == 0 ? "user" : "assistant")\",\"content\":\"\(text)\"}"
        }
        return "{\"model\":\"m\"\(more),\"messages\":[\(list.joined(separator: ","))]}"
    }

    private func shared(_ a: PromptPrefix, _ b: PromptPrefix) -> [Int] {
        let known = Set((0..<a.count).map { a[$0].hash })
        return (0..<b.count).filter { known.contains(b[$0].hash) }.map { b[$0].bytes }
    }

    private let long = String(repeating: "lorem ipsum ", count: 40)

    @Test func aTurnBeginsAsThePromptBeforeItDid() throws {
        let first = try prefix(body([long]))
        let second = try prefix(body([long, "An answer.", "And then?"], more: ",\"n\":1"))
        #expect(first.count == 1)
        #expect(shared(first, second) == [first[0].bytes])
        let third = try prefix(body([long, "An answer.", "And then?", "That.", "Oh."]))
        #expect(shared(second, third).last == second[second.count - 1].bytes)
        #expect(shared(first, try prefix(body(["L" + long]))).isEmpty)
    }

    @Test func tenantsAndModelsShareNothing() throws {
        let text = body([long + long + long, "b", "c"])
        let one = try prefix(text, tenant: 0)
        #expect(one.count >= 3)
        #expect(shared(one, try prefix(text, tenant: 1)).isEmpty)
        #expect(shared(one, try prefix(text, tenant: -1)).isEmpty)
        #expect(shared(one, try prefix(text, model: 1)).isEmpty)
        #expect(shared(one, try prefix(text)).count == one.count)
    }

    @Test func whatIsShownBeforeThePromptAndTheClientsSaltCount() throws {
        let plain = try prefix(body([long]))
        let tools = ",\"tools\":[{\"type\":\"function\"}]"
        #expect(shared(plain, try prefix(body([long], more: tools))).isEmpty)
        #expect(shared(plain, try prefix(body([long], more: ",\"cache_salt\":\"x\""))).isEmpty)
        let shown = ",\"instructions\":\"Be brief.\""
        let both = try prefix(body([long], more: shown + tools))
        #expect(shared(both, try prefix(body([long], more: tools + shown))).count == both.count)
        for one in [tools, shown, ",\"instructions\":\"Be kind.\"" + tools] {
            #expect(shared(both, try prefix(body([long], more: one))).isEmpty)
        }
        let behind = body([long]).dropLast() + tools + "}"
        let before = try prefix(body([long], more: tools))
        #expect(shared(before, try prefix(String(behind))).count == before.count)
    }

    @Test func promptsOfCompletionsHaveMarksToo() throws {
        let prompt = String(repeating: "abcdefgh", count: 400)
        func body(_ tail: String) -> String { "{\"model\":\"m\",\"prompt\":\"\(prompt)\(tail)\"}" }
        let one = try prefix(body("x"), task: .completion)
        #expect(shared(one, try prefix(body("y"), task: .completion)) == [1_024, 2_048])
    }

    @Test func anEndlessPromptIsHashedUpToABound() throws {
        let endless = String(repeating: "a", count: ParsedRequest.greatestHashed + 4_096)
        let prefix = try prefix(body([endless]))
        #expect(prefix.bytes > ParsedRequest.greatestHashed)
        #expect(prefix[prefix.count - 1].bytes == 65_536)
    }

    @Test(arguments: [
        ("", 0), (",\"user\":\"u\"", 1), (",\"user\":\"u\",\"prompt_cache_key\":\"\"", 1),
        (",\"user\":\"u\",\"session_id\":\"s\"", 2),
        (",\"prompt_cache_key\":\"p\",\"session_id\":\"s\",\"user\":\"u\"", 3),
    ])
    func theBestNameOfASessionIsTaken(_ more: String, _ rank: Int) throws {
        func session(_ body: String) throws -> UInt64 {
            try Array(body.utf8).withUnsafeBytes { bytes in
                try ParsedRequest.parse(task: .chat, body: bytes, limits: Limits())
                    .session(in: bytes, Self.hash)
            }
        }
        let names: [UInt64] = [0] + ["\"u\"", "\"s\"", "\"p\""].map { name in
            Array(name.utf8).withUnsafeBytes { Self.hash.key($0) }
        }
        #expect(try session(body(["Hi"], more: more)) == names[rank])
    }
}
