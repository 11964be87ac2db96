import InferenceTypes
import Testing

@testable import InferenceAPI

@Suite("What the relay learns of a stream")
struct StreamObservationTests {
    private func chunk(_ json: String) -> String { "data: \(json)\n\n" }

    @Test("usage that was not said stays unknown, zero stays zero")
    func threeValuedUsage() {
        let unknown = RelayedStream.relay(StreamSamples.vllmText("x") + StreamSamples.done)
        #expect(unknown.usage == Usage())
        let null = RelayedStream.relay(chunk(#"{"choices":[],"usage":null}"#))
        #expect(null.usage == Usage())
        let zero = RelayedStream.relay(
            chunk(#"{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}"#))
        #expect(zero.usage == Usage(inputTokens: 0, outputTokens: 0))
        let odd = RelayedStream.relay(
            chunk(#"{"usage":{"prompt_tokens":-1,"completion_tokens":1.5}}"#)
                + chunk(#"{"usage":{"prompt_tokens":99999999999999999999}}"#)
                + chunk(#"{"usage":{"prompt_tokens":"7","completion_tokens":null}}"#))
        #expect(odd.usage == Usage())
    }

    @Test("usage on every chunk counts as it grows, and such chunks are never stripped")
    func continuousUsage() {
        let events = (1...3).map {
            StreamSamples.vllmChunk(
                "{\"index\":0,\"delta\":{\"content\":\"x\"},\"finish_reason\":null}",
                tail: ",\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":\($0)}")
        }
        let cut = RelayedStream.relay(events.joined(), stripUsage: true, end: .cut)
        #expect(cut.text.hasPrefix(events.joined()))
        #expect(cut.usage == Usage(inputTokens: 7, outputTokens: 3))
        #expect(cut.contentEvents == 3)
    }

    @Test("usage with spaces, a null usage and an empty choices array without usage")
    func stripping() {
        let kept = chunk(#"{"choices":[],"usage":null}"#) + chunk(#"{"choices":[],"x":{}}"#)
        let dropped = chunk(#"{ "choices" : [ ] , "usage" : { "prompt_tokens" : 3 } }"#)
        let result = RelayedStream.relay(kept + dropped + StreamSamples.done, stripUsage: true)
        #expect(result.text == kept + StreamSamples.done)
        #expect(result.usage.inputTokens == 3)
    }

    @Test("several choices finish one by one")
    func severalChoices() {
        func finish(_ index: Int) -> String {
            chunk(
                #"{"choices":[{"index":\#(index),"delta":{},"finish_reason":"length"}]}"#)
        }
        #expect(!RelayedStream.relay(finish(0) + finish(0), choices: 2).hasFinishReason)
        #expect(RelayedStream.relay(finish(1) + finish(0), choices: 2).hasFinishReason)
        let many = (0..<128).map(finish).joined()
        #expect(RelayedStream.relay(many, choices: 128).hasFinishReason)
        #expect(!RelayedStream.relay(many, choices: 129).hasFinishReason)
        let both = chunk(
            #"{"choices":[{"finish_reason":"stop","index":0},{"finish_reason":"stop","index":1}]}"#)
        #expect(RelayedStream.relay(both, choices: 2).hasFinishReason)
    }

    @Test(
        "content is text, reasoning or tool calls that are not empty",
        arguments: [
            (#"{"choices":[{"delta":{"content":"a"}}]}"#, 1),
            (#"{"choices":[{"delta":{"content":""}}]}"#, 0),
            (#"{"choices":[{"delta":{"content":null}}]}"#, 0),
            (#"{"choices":[{"delta":{"reasoning":"a"}}]}"#, 1),
            (#"{"choices":[{"delta":{"reasoning_content":"a"}}]}"#, 1),
            (#"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#, 1),
            (#"{"choices":[{"delta":{"tool_calls":[]}}]}"#, 0),
            (#"{"choices":[{"index":0,"text":"a"}]}"#, 1),
            (#"{"choices":[{"index":0,"text":""}]}"#, 0),
            (#"{"choices":[{"index":0},{"index":1,"text":"b"}]}"#, 1),
            (#"{"choices":[{"logprobs":{"content":[{"token":"a"}]},"delta":{}}]}"#, 0),
            (#"{"content":"a","text":"b","delta":{"content":"c"}}"#, 0),
            (#"{"x":{"choices":[{"text":"a"}]}}"#, 0),
        ])
    func content(json: String, count: Int) {
        let result = RelayedStream.relay(chunk(json))
        #expect(result.contentEvents == count)
        #expect(result.events == 1)
    }

    @Test("an error that is null or further inside is no error")
    func noError() {
        let text =
            chunk(#"{"choices":[{"delta":{"content":"\"error\":{"},"error":{}}],"error":null}"#)
            + StreamSamples.done
        #expect(RelayedStream.relay(text).text == text)
    }

    @Test("several data lines are one payload")
    func joinedData() {
        let text =
            "data: {\"choices\":[],\ndata: \"usage\":{\"prompt_tokens\":5}}\n\n"
            + StreamSamples.done
        let result = RelayedStream.relay(text, stripUsage: true)
        #expect(result.text == StreamSamples.done)
        #expect(result.usage.inputTokens == 5)
    }

    // MARK: Responses

    private static let created =
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{}}\n\n"
    private static let delta =
        "event: response.output_text.delta\n"
        + "data: {\"type\":\"response.output_text.delta\",\"delta\":\"안녕\"}\n\n"

    @Test(
        "a responses stream ends with its terminal event, named by field or by type",
        arguments: ["completed", "incomplete"])
    func responsesEnd(name: String) {
        let json =
            "data: {\"type\":\"response.\(name)\",\"response\":{\"error\":null,\"usage\":"
            + "{\"input_tokens\":8,\"input_tokens_details\":{\"cached_tokens\":2},"
            + "\"output_tokens\":1}}}\n\n"
        for last in [json, "event: response.\(name)\n" + json] {
            let text = Self.created + Self.delta + last
            let result = RelayedStream.relay(text + Self.delta, task: .responses)
            #expect(result.text == text)
            #expect(result.isDone)
            #expect(result.contentEvents == 1)
            #expect(
                result.usage == Usage(inputTokens: 8, outputTokens: 1, cachedInputTokens: 2))
        }
    }

    @Test("a failed responses stream is passed on and failed")
    func responsesFailure() {
        let failed = "data: {\"type\":\"response.failed\",\"response\":{\"error\":{}}}\n\n"
        let error = "event: error\ndata: {\"type\":\"error\",\"message\":\"x\"}\n\n"
        for last in [failed, error] {
            let text = Self.created + last
            let result = RelayedStream.relay(text + Self.delta, task: .responses)
            #expect(result.text == text)
            #expect(result.isFailed && !result.isDone)
        }
    }

    @Test("a responses stream without its terminal event is incomplete, [DONE] or not")
    func responsesWithoutEnd() {
        for tail in ["", StreamSamples.done] {
            let result = RelayedStream.relay(Self.created + tail, task: .responses)
            #expect(result.text.hasPrefix(Self.created + "data: {\"error\""))
            #expect(result.errorCodes == ["stream_incomplete"])
        }
    }
}
