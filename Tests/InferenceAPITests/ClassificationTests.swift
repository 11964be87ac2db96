import InferenceTypes
import Testing

@testable import InferenceAPI

/// Texts out of requests, verdicts out of answers.
@Suite struct ClassificationTests {
    /// The texts as they would go into a batch; `nil`: the request goes upstream alone.
    private func texts(_ json: String, mayList: Bool = true) throws -> [String]? {
        try Array(json.utf8).withUnsafeBytes { body in
            let request = try ParsedRequest.parse(
                task: .classify, body: body, limits: Limits(), defaultModel: "m")
            var texts = MessageTexts()
            guard texts.read(request.classification, body: body, mayList: mayList) else {
                return nil
            }
            return (0..<texts.count).map { index in
                texts.withText(index, of: body) { String(decoding: $0, as: UTF8.self) }
            }
        }
    }

    @Test func textsGoIntoABatchAsTheyCame() throws {
        #expect(try texts(#"{"input":"a\n\"b\" \u00e9"}"#) == [#"a\n\"b\" \u00e9"#])
        #expect(try texts(#"{"input":["", "안녕", "x"]}"#) == ["", "안녕", "x"])
        #expect(try texts(#"{"input":""}"#) == [""])
    }

    @Test func messagesBecomeOneText() throws {
        let parts = #"[{"type":"text","text":"b"},{"type":"text","text":"c\\"}]"#
        let messages = #"{"role":"user","content":"a"},{"role":"user","content":\#(parts)}"#
        #expect(try texts(#"{"messages":[\#(messages)]}"#) == [#"a\nb\nc\\"#])
        #expect(
            try texts(#"{"input":[{"role":"user","content":"a"}]}"#, mayList: false) == ["a"])
    }

    @Test(arguments: [
        #"{"input":[1,2]}"#, #"{"input":[[1],[2]]}"#, #"{"input":[]}"#, #"{"input":{}}"#,
        #"{"input":7}"#, #"{"input":["a",1]}"#, #"{"input":null}"#, "{}",
        #"{"input":"a","messages":[{"content":"b"}]}"#,
        #"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":"x"}]}]}"#,
        #"{"messages":[{"role":"user"}]}"#,
    ])
    func otherShapesGoUpstreamAlone(_ json: String) throws {
        #expect(try texts(json) == nil)
    }

    @Test func membersThatSayHowToRunTheModelAreNoticed() throws {
        func hasOptions(_ json: String) throws -> Bool {
            try Array(json.utf8).withUnsafeBytes { body in
                try ParsedRequest.parse(
                    task: .classify, body: body, limits: Limits(), defaultModel: "m"
                ).classification.hasOptions
            }
        }
        #expect(try !hasOptions(#"{"model":"m","input":"a","user":"u","request_id":"r"}"#))
        #expect(try hasOptions(#"{"input":"a","truncate_prompt_tokens":5}"#))
        #expect(try hasOptions(#"{"input":"a","use_activation":false}"#))
    }

    // MARK: Answers

    private func answer(_ data: String, count: Int) -> [(String, String)]? {
        let json = #"{"data":[\#(data)],"usage":{"prompt_tokens":7}}"#
        return Array(json.utf8).withUnsafeBytes { body in
            let answer = BatchAnswer.parse(body, count: count, depth: 64)
            return answer?.entries.map { entry in
                (
                    String(decoding: body[entry.label], as: UTF8.self),
                    String(decoding: body[entry.probabilities], as: UTF8.self)
                )
            }
        }
    }

    private func entry(_ index: Int, _ label: String = "\"a\"") -> String {
        #"{"index":\#(index),"label":\#(label),"probs":[0.\#(index),0.5],"num_classes":2}"#
    }

    @Test func verdictsAreFoundByTheirIndex() throws {
        let data = [0, 1, 2].map { entry($0) }.joined(separator: ",")
        let inOrder = try #require(answer(data, count: 3))
        #expect(inOrder.map(\.1) == ["[0.0,0.5]", "[0.1,0.5]", "[0.2,0.5]"])
        for order in [[2, 1, 0], [0, 2, 1], [1, 0, 2]] {
            let mixed = answer(order.map { entry($0) }.joined(separator: ","), count: 3)
            #expect(mixed?.map(\.1) == inOrder.map(\.1))
        }
        #expect(answer(entry(0, "null"), count: 1)?.first?.0 == "null")
    }

    @Test func answersThatLackAVerdictAreNone() {
        let (a, b) = (entry(0), entry(1))
        #expect(answer(a, count: 2) == nil)
        #expect(answer("\(a),\(b)", count: 1) == nil)
        #expect(answer("\(a),\(a)", count: 2) == nil)
        #expect(answer("\(b),\(b)", count: 2) == nil)
        #expect(answer("\(a),{}", count: 2) == nil)
        #expect(answer("\(a),7", count: 2) == nil)
        #expect(answer(entry(-1), count: 1) == nil)
        #expect(answer(#"{"index":0,"label":"a"}"#, count: 1) == nil)
        #expect(answer(#"{"index":0,"label":7,"probs":[]}"#, count: 1) == nil)
        #expect(answer(#"{"index":99999999999999999999,"label":"a","probs":[]}"#, count: 1) == nil)
        #expect("[{}]".utf8.withContiguousStorageIfAvailable { bytes in
            BatchAnswer.parse(UnsafeRawBufferPointer(bytes), count: 1, depth: 64) == nil
        } == true)
    }

    @Test(arguments: ["[]", "[null,null]", "[1e999]", "[0.1,5]", "[-3]", "[0.5,\"1\"]", "0.5"])
    func withoutProbabilitiesThereIsNoVerdict(probabilities: String) {
        let entry = #"{"index":0,"label":"ham","probs":\#(probabilities)}"#
        #expect(answer(entry, count: 1) == nil)
    }

    @Test func numbersAreReadAsTheStandardLibraryReadsThem() {
        let texts = [
            "0", "-0", "1", "-1.5", "0.924142", "0.006692999999999949", "1e-7", "2.5E3",
            "123456789012345678901234567890", "0.1234567890123456789012345", "1e400",
        ]
        for text in texts {
            let number = Array(text.utf8).withUnsafeBytes { JSONScanner($0).number(0..<$0.count) }
            // What is beyond all numbers is none.
            guard let expected = Double(text), expected.isFinite else {
                #expect(number == nil)
                continue
            }
            #expect(abs((number ?? .nan) - expected) <= abs(expected) * 1e-15 || number == expected)
        }
    }

    // MARK: Decisions

    private func decide(_ questions: String, _ probabilities: [Double]) throws -> String {
        try Array(questions.utf8).withUnsafeBytes { body throws -> String in
            let read = try DecisionQuestions(
                at: 0..<body.count, of: body,
                labels: ["ham", "spam", "ad"].map { Array("\"\($0)\"".utf8) }, positive: 1)
            var bytes: [UInt8] = []
            read.appendAnswers(probabilities, to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    @Test func predicatesAndChoicesAreAnswered() throws {
        let questions = """
            [{"type":"predicate","name":"p","instructions":"?"},
             {"type":"choice","choices":[{"value":"ham"},{"value":"spam"}]}]
            """
        #expect(
            try decide(questions, [0.125, 0.375, 0.5]) == """
                [{"type":"predicate","probability":0.375,"name":"p"},\
                {"type":"choice","choice":"spam","probabilities":[{"value":"ham",\
                "probability":0.25},{"value":"spam","probability":0.75}],"confidence":0.75,\
                "name":null}]
                """)
        #expect(
            try decide(#"[{"type":"predicate","name":"p"}]"#, [])
                == #"[{"type":"refusal","name":"p"}]"#)
    }

    @Test(arguments: [
        "[]", "7", "[7]", "[{}]", #"[{"type":"score"}]"#, #"[{"type":"choice"}]"#,
        #"[{"type":"choice","choices":[{"value":"ham"}]}]"#,
        #"[{"type":"choice","choices":[{"value":"ham"},{"value":"ham"}]}]"#,
        #"[{"type":"choice","choices":[{"value":"ham"},{"value":true}]}]"#,
    ])
    func questionsWithoutAnAnswerAreRefused(_ questions: String) {
        #expect(throws: APIError.self) { try decide(questions, [0.5, 0.5, 0]) }
    }
}
