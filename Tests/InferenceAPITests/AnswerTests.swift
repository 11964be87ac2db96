import InferenceTypes
import Testing

@testable import InferenceAPI

struct AnswerTests {
    static let usages: [(String, Usage)] = [
        (
            #"{"id":"x","usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}}"#,
            Usage(inputTokens: 3, outputTokens: 5)
        ),
        (
            #"{"usage":{"input_tokens":3,"output_tokens":5,"#
                + #""input_tokens_details":{"cached_tokens":1}}}"#,
            Usage(inputTokens: 3, outputTokens: 5, cachedInputTokens: 1)
        ),
        (
            #"{"usage":{"prompt_tokens":3,"prompt_tokens_details":{"cached_tokens":2}}}"#,
            Usage(inputTokens: 3, cachedInputTokens: 2)
        ),
        (#"{"usage":{"prompt_tokens":3,"prompt_tokens_details":null}}"#, Usage(inputTokens: 3)),
        (#"{"usage":{"prompt_tokens":3,"input_tokens":null}}"#, Usage(inputTokens: 3)),
        (#"{"choices":[{"usage":{"prompt_tokens":3}}]}"#, Usage()),
        (#"{"usage":{"prompt_tokens":-3,"completion_tokens":1.5}}"#, Usage()),
        (#"{"usage":{"prompt_tokens":"3","completion_tokens":1e99}}"#, Usage()),
        (#"{"usage":null}"#, Usage()), (#"{"usage":[]}"#, Usage()), ("[]", Usage()),
        ("", Usage()), ("Internal Server Error", Usage()),
        (#"{"usage":{"prompt_tokens":3}"#, Usage()),
    ]

    @Test func findsTheUsageOrNothing() {
        for (body, usage) in Self.usages {
            #expect(withBytes(body) { UnaryUsage.parse($0, task: .chat) } == usage, "\(body)")
        }
    }

    @Test func toleratesUsageRangesThatAreNone() {
        withBytes(#"{"prompt_tokens":"#) { bytes in
            let scanner = JSONScanner(bytes)
            for range in [0..<0, 0..<bytes.count, 0..<1_000, bytes.count..<bytes.count] {
                #expect(UnaryUsage.usage(at: range, in: scanner) == Usage())
            }
        }
    }

    @Test func countsTokenizedPrompts() {
        let body = #"{"count":4,"max_model_len":10,"tokens":[1,2,3,4]}"#
        #expect(withBytes(body) { UnaryUsage.parse($0, task: .tokenize) }.inputTokens == 4)
        #expect(withBytes(body) { UnaryUsage.parse($0, task: .chat) } == Usage())
    }

    @Test func listsModels() {
        let entry = ModelList.Entry(
            id: "a\"b", created: 1, ownedBy: "joulegate", maxModelLength: 4_096)
        let one =
            #"{"id":"a\"b","object":"model","created":1,"owned_by":"joulegate","#
            + #""max_model_len":4096}"#
        let other = ModelList.Entry(id: "c", created: 0, ownedBy: "", maxModelLength: nil)
        let two = #"{"id":"c","object":"model","created":0,"owned_by":""}"#
        #expect(String(decoding: ModelList.renderOne(entry), as: UTF8.self) == one)
        #expect(
            String(decoding: ModelList.render(models: [entry, other]), as: UTF8.self)
                == #"{"object":"list","data":[\#(one),\#(two)]}"#)
        #expect(
            String(decoding: ModelList.render(models: []), as: UTF8.self)
                == #"{"object":"list","data":[]}"#)
    }

    @Test func passesOnOnlyHarmlessIdentifiers() {
        let long = String(repeating: "x", count: 128)
        for id in ["a", "AZaz09._:/+=@-", long] {
            #expect(withBytes(id, RequestIdentifier.validated) == id)
        }
        for id in ["", long + "x", "a b", "a\n", "a\"", "\u{E9}", "a;b", "a,b", "a\u{0}", "{}"] {
            #expect(withBytes(id, RequestIdentifier.validated) == nil)
        }
    }
}
