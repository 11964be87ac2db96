import InferenceTypes
import Testing

@testable import InferenceAPI

struct ParsedRequestTests {
    @Test func readsAChatRequest() throws {
        let request = try parsed(
            chat(
                #"""
                "stream":true,"stream_options":{"include_usage":true},"n":3,"max_tokens":5,
                "max_completion_tokens":7,"tools":[{}],"response_format":{"type":"text"},
                "logprobs":true,"temperature":0.5,"metadata":{"a":1,"a":2}
                """#)
        ).get()
        #expect(request.model == "m")
        #expect(request.streams && request.clientWantsUsage)
        #expect(request.choices == 3)
        #expect(request.maxOutputTokens == 7)
        #expect(request.hasTools && request.hasResponseFormat && request.hasLogprobs)
        #expect(request.promptBytes == 2 + 4)
        #expect(request.mediaParts == 0 && !request.hasRemoteMedia)
        #expect(request.restrictedFields.isEmpty)
    }

    @Test func takesNullAsAbsent() throws {
        let request = try parsed(
            chat(
                #"""
                "stream":null,"stream_options":null,"n":null,"max_tokens":null,"tools":null,
                "max_completion_tokens":null,"response_format":null,"logprobs":null,
                "chat_template":null
                """#)
        ).get()
        #expect(!request.streams && !request.clientWantsUsage && request.choices == 1)
        #expect(request.maxOutputTokens == nil && request.restrictedFields.isEmpty)
        #expect(!request.hasTools && !request.hasResponseFormat && !request.hasLogprobs)
    }

    @Test func countsPromptTextWithEscapesUndone() throws {
        let table: [(InferenceTask, String, Int)] = [
            (.chat, chat(content: #""caf\u00e9\n""#), 6),
            (.chat, chat(content: #"[{"type":"text","text":"ab"},{"type":"text","text":"c"}]"#), 3),
            (.chat, chat(content: "null"), 0),
            (.completion, #"{"model":"m","prompt":"abc"}"#, 3),
            (.completion, #"{"model":"m","prompt":["abc","de"]}"#, 5),
            (.completion, #"{"model":"m","prompt":[1,2,3]}"#, 12),
            (.embedding, #"{"model":"m","input":[[1,2],[3]]}"#, 12),
            (.embedding, #"{"model":"m","input":"\uD83D\uDE00"}"#, 4),
            (.rerank, #"{"model":"m","query":"ab","documents":["c",{"text":"de"}]}"#, 5),
            (.score, #"{"model":"m","text_1":"ab","text_2":["c","d"]}"#, 4),
            (.classify, #"{"model":"m","messages":[{"role":"user","content":"abc"}]}"#, 3),
            (.responses, #"{"model":"m","instructions":"a","input":"bc"}"#, 3),
            (
                .responses,
                #"{"model":"m","input":[{"content":[{"type":"input_text","text":"abc"}]}]}"#, 3
            ),
            (.detokenize, #"{"model":"m","tokens":[1,2]}"#, 0),
        ]
        for (task, body, count) in table {
            #expect(try parsed(body, task: task).get().promptBytes == count, "\(body)")
        }
    }

    static let media: [(content: String, parts: Int, isRemote: Bool)] = [
        (#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]"#, 1, false),
        (#"[{"type":"image_url","image_url":{"url":"DATA:image/png;base64,AA"}}]"#, 1, false),
        (#"[{"type":"image_url","image_url":{"url":"\u0064ata:,"}}]"#, 1, false),
        (#"[{"type":"image_url","image_url":{"url":"https://h/a.png"}}]"#, 1, true),
        (#"[{"type":"image_url","image_url":{"url":" data:,"}}]"#, 1, true),
        (#"[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]"#, 1, true),
        (#"[{"type":"image_url","image_url":{"url":"data"}}]"#, 1, true),
        (#"[{"type":"image_url","image_url":{"url":""}}]"#, 1, true),
        (#"[{"type":"image_url","image_url":{"\u0075rl":"http://h"}}]"#, 1, true),
        (#"[{"type":"image_url","\u0069mage_url":"http://h"}]"#, 1, true),
        (#"[{"image_url":"http://h"}]"#, 1, true),
        (#"[{"type":"image_url","image_url":["http://h"]}]"#, 1, true),
        (#"[{"type":"image_url","image_url":{"url":{"url":"http://h"}}}]"#, 1, true),
        (#"[{"type":"image_url","image_url":null,"uuid":"x"}]"#, 1, false),
        (#"[{"type":"audio_url","audio_url":{"url":"http://h"}}]"#, 1, true),
        (#"[{"type":"video_url","video_url":{"url":"http://h"}}]"#, 1, true),
        (#"[{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}]"#, 1, false),
        (#"[{"type":"input_audio","input_audio":{"url":"http://h"}}]"#, 1, true),
        (#"[{"type":"text","text":"http://h"}]"#, 0, false),
        (#"[{"type":"\u0069mage","image":"AA"}]"#, 1, false),
        (#"[{"type":"\u0069nput_text","text":"a"}]"#, 0, false),
        (
            #"[{"type":"image_url","image_url":"data:,"},{"type":"text","text":""},"#
                + #"{"type":"video_url","video_url":"data:,"}]"#, 2, false
        ),
    ]

    @Test func findsMediaAndWhetherItIsRemote() {
        for (content, parts, isRemote) in Self.media {
            guard case .success(let request) = parsed(chat(content: content)) else {
                Issue.record("refused: \(content)")
                continue
            }
            #expect(request.mediaParts == parts, "\(content)")
            #expect(request.hasRemoteMedia == isRemote, "\(content)")
        }
    }

    @Test func findsRestrictedFieldsHoweverTheyAreSpelt() throws {
        let request = try parsed(
            chat(#""chat\u005ftemplate":"x","kv_transfer_params":{},"vllm_xargs":{"a":1}"#)
        ).get()
        #expect(
            request.restrictedFields == ["chat_template", "kv_transfer_params", "vllm_xargs"])
        let nested = try parsed(chat(#""metadata":{"chat_template":"x"}"#)).get()
        #expect(nested.restrictedFields.isEmpty)
    }

    @Test func readsEachTasksOwnLimit() throws {
        let responses = #"{"model":"m","input":"a","max_output_tokens":9,"stream":true}"#
        #expect(try parsed(responses, task: .responses).get().maxOutputTokens == 9)
        let completion = #"{"model":"m","prompt":"a","max_tokens":4,"logprobs":2}"#
        let request = try parsed(completion, task: .completion).get()
        #expect(request.maxOutputTokens == 4 && request.hasLogprobs)
        // Where nothing is generated the field means nothing.
        let embedding = #"{"model":"m","input":"a","max_tokens":"x","stream":true}"#
        #expect(try parsed(embedding, task: .embedding).get().maxOutputTokens == nil)
        #expect(try !parsed(embedding, task: .embedding).get().streams)
    }

    @Test func standsInWithTheDefaultModel() throws {
        let body = #"{"messages":[{"content":"x"}]}"#
        #expect(try parsed(body, defaultModel: "d").get().model == "d")
        let null = #"{"model":null,"messages":[{"content":"x"}]}"#
        #expect(try parsed(null, defaultModel: "d").get().model == "d")
        #expect(try parsed(chat(""), defaultModel: "d").get().model == "m")
        let named = try parsed(#"{"model":"a\u002fb\"","input":"x"}"#, task: .embedding).get()
        #expect(named.model == "a/b\"")
    }

    @Test func acceptsThe2048thMessageButNoMore() {
        func body(_ count: Int) -> String {
            let messages = Array(repeating: #"{"content":""}"#, count: count)
            return #"{"model":"m","messages":[\#(messages.joined(separator: ","))]}"#
        }
        #expect(refusal(body(2_048)) == nil)
        #expect(refusal(body(2_049))?.param == "messages")
    }
}
