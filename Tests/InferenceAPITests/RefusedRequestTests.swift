import InferenceTypes
import Testing

@testable import InferenceAPI

struct RefusedRequestTests {
    static let chats: [(body: String, param: String?)] = [
        ("", nil), ("[]", nil), ("\"x\"", nil), ("{", nil), ("{}x", nil),
        ("{}", "model"), (#"{"model":1,"messages":[{}]}"#, "model"),
        (#"{"model":"","messages":[{}]}"#, "model"),
        (#"{"model":null,"messages":[{}]}"#, "model"),
        (#"{"model":["m"],"messages":[{}]}"#, "model"),
        (#"{"model":"\#(String(repeating: "x", count: 257))","messages":[{}]}"#, "model"),
        (#"{"model":"m"}"#, "messages"), (#"{"model":"m","messages":null}"#, "messages"),
        (#"{"model":"m","messages":[]}"#, "messages"),
        (#"{"model":"m","messages":"hi"}"#, "messages"),
        (#"{"model":"m","messages":{}}"#, "messages"),
        (#"{"model":"m","messages":[{},"hi"]}"#, "messages[1]"),
        (chat(#""stream":1"#), "stream"), (chat(#""stream":"true""#), "stream"),
        (chat(#""stream_options":true"#), "stream_options"),
        (chat(#""stream_options":[]"#), "stream_options"),
        (chat(#""stream_options":{"include_usage":1}"#), "stream_options.include_usage"),
        (chat(#""n":0"#), "n"), (chat(#""n":129"#), "n"), (chat(#""n":1.5"#), "n"),
        (chat(#""n":"1""#), "n"), (chat(#""n":-1"#), "n"),
        (chat(#""n":99999999999999999999"#), "n"),
        (chat(#""max_tokens":-1"#), "max_tokens"), (chat(#""max_tokens":"5""#), "max_tokens"),
        (chat(#""max_tokens":99999999999999999999"#), "max_tokens"),
        (chat(#""max_completion_tokens":1e3"#), "max_completion_tokens"),
    ]

    static let twins: [(body: String, param: String)] = [
        (chat(#""model":"x""#), "model"), (chat(#""\u006dodel":"x""#), "model"),
        (chat(#""unknown":1,"unknown":1"#), "unknown"), (chat(#""a/b":1,"a\/b":1"#), "a/b"),
        (chat(#""":1,"":2"#), ""),
        (chat(#""stream_options":{"x":1,"x":2}"#), "stream_options.x"),
        (
            chat(#""stream_options":{"include_usage":true,"include\u005fusage":false}"#),
            "stream_options.include_usage"
        ),
        (
            #"{"model":"m","messages":[{},{"content":"a","c\u006fntent":"b"}]}"#,
            "messages[1].content"
        ),
        (chat(content: #"[{"type":"text","text":"a","text":"b"}]"#), "messages[0].text"),
        (
            chat(content: #"[{"image_url":{"url":"data:,","url":"http://h"}}]"#),
            "messages[0].url"
        ),
    ]

    @Test func namesTheFieldAtFault() {
        for (body, param) in Self.chats {
            let error = refusal(body)
            #expect(error?.status == 400, "\(body)")
            #expect(error?.type == "invalid_request_error", "\(body)")
            #expect(error?.param == param, "\(body)")
        }
    }

    @Test func refusesTheSameKeyTwice() {
        for (body, param) in Self.twins {
            #expect(refusal(body)?.status == 400, "\(body)")
            #expect(refusal(body)?.param == param, "\(body)")
        }
    }

    @Test func findsTwinsAmongManyKeys() {
        let keys = (0..<500).map { "\"k\($0)\":\($0)" }
        #expect(refusal(chat(keys.joined(separator: ","))) == nil)
        #expect(refusal(chat((keys + [#""\u006b77":0"#]).joined(separator: ",")))?.param == "k77")
        let tooMany = (0..<2_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        #expect(refusal(chat(tooMany))?.status == 400)
    }

    @Test func keepsCanonicallyEquivalentKeysApart() {
        #expect(refusal(chat("\"\u{E9}\":1,\"e\u{301}\":2")) == nil)
    }

    @Test func saysAtWhichByteTheTextBreaks() {
        #expect(refusal(#"{"model":x}"#)?.message.contains("byte 9") == true)
        #expect(refusal("")?.message.contains("byte 0") == true)
    }

    @Test func refusesInvalidUTF8() {
        for sequence: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
            let body =
                Array(#"{"model":"m","messages":[{"content":""#.utf8) + sequence
                + Array("\"}]}".utf8)
            guard case .failure(let error) = parsed(body) else {
                Issue.record("accepted \(sequence)")
                continue
            }
            #expect(error.status == 400)
        }
    }

    @Test func refusesDeepNestingAndLongBodies() {
        var limits = Limits()
        limits.jsonDepth = 4
        let nested = Array(chat(#""x":[[[[1]]]]"#).utf8)
        guard case .failure(let deep) = parsed(nested, limits: limits) else {
            Issue.record("accepted nesting")
            return
        }
        #expect(deep.status == 400)
        #expect(deep.message.contains("deep"))
        limits = Limits()
        limits.requestBodyBytes = 10
        guard case .failure(let long) = parsed(Array(chat("").utf8), limits: limits) else {
            Issue.record("accepted length")
            return
        }
        #expect(long == .bodyTooLarge(limit: 10))
    }

    @Test func neverTrapsOnMutatedBodies() {
        var random = RandomSource(seed: 11)
        let seeds = (Self.chats.map(\.body) + Self.twins.map(\.body)
            + ParsedRequestTests.media.map { chat(content: $0.content) })
            .filter { !$0.isEmpty }.map { Array($0.utf8) }
        let bytes = Array("{}[]\",:\\u0 1-ntf".utf8) + [0xC3, 0xFF]
        for round in 0..<6_000 {
            var body = seeds[random.nextIndex(below: seeds.count)]
            for _ in 0...random.nextIndex(below: 3) where !body.isEmpty {
                let index = random.nextIndex(below: body.count)
                let byte = bytes[random.nextIndex(below: bytes.count)]
                switch random.nextIndex(below: 4) {
                case 0: body.remove(at: index)
                case 1: body.insert(byte, at: index)
                case 2: body[index] = byte
                default: body.removeSubrange(index...)
                }
            }
            let task = InferenceTask.allCases[round % InferenceTask.allCases.count]
            switch parsed(body, task: task) {
            case .failure(let error):
                #expect(error.status == 400)
                #expect(error.body().withUnsafeBytes { JSONScanner.isValid($0, depth: 4) })
            case .success(let request):
                let edited = spliced(request, body, model: "x", injectUsage: true)
                #expect(edited.withUnsafeBytes { JSONScanner.isValid($0, depth: 64) })
            }
        }
    }
}
