import EmulatedEngine
import InferenceTypes
import Testing

@testable import EmulatedServer

/// Chat and completion streams in both dialects.
@Suite struct StreamTests {
    @Test(arguments: [EngineKind.vllm, .vllmRBLN, .llamaServer, .sglang])
    func streamSaysWhatUnarySays(kind: EngineKind) throws {
        var rig = try ServiceRig(kind)
        let stream = rig.answer("/v1/chat/completions", Bodies.chat())
        let unary = rig.answer("/v1/chat/completions", Bodies.chat(stream: false))
        let key = Bodies.key()
        let length = EmulatedText.naturalLength(of: key)
        let expected = EmulatedText.text(for: key, tokens: 0..<length)
        #expect(stream.text == expected)
        #expect(ServiceRig.Answer.content(of: unary.body) == expected)
        #expect(stream.status == 200)
        #expect(stream.framing == .chunked)
        #expect(stream.contentType.hasPrefix("text/event-stream"))
        #expect(stream.events.last == "[DONE]")
        // Role, tokens, finish, [DONE].
        #expect(stream.events.count == length + 3)
        #expect(stream.events[length + 1].contains("\"finish_reason\":\"stop\""))
        #expect(unary.body.contains("\"prompt_tokens\":2,\"total_tokens\":\(length + 2)"))
        #expect(rig.service.openExchanges == 0)
        #expect(rig.service.owners.isEmpty)
    }

    @Test func dialectsDiffer() throws {
        var vllm = try ServiceRig(.vllm)
        var llama = try ServiceRig(.llamaServer)
        let body = Bodies.chat(
            extra: ",\"max_tokens\":3,\"stream_options\":{\"include_usage\":true}")
        let a = vllm.answer("/v1/chat/completions", body)
        let b = llama.answer("/v1/chat/completions", body)
        #expect(a.text == b.text)
        #expect(a.events[0].contains("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}"))
        #expect(b.events[0].contains("\"delta\":{\"role\":\"assistant\",\"content\":null}"))
        let usage = "\"usage\":{\"prompt_tokens\":2,\"total_tokens\":5,\"completion_tokens\":3"
        #expect(a.events.count == 7)
        #expect(a.events[4].contains("\"finish_reason\":\"length\""))
        #expect(a.events[5].contains("\"choices\":[]") && a.events[5].contains(usage))
        #expect(!a.events[5].contains("timings"))
        #expect(b.events[5].contains(usage) && b.events[5].contains("\"predicted_n\":3"))
        #expect(!b.events[4].contains("timings"))
    }

    @Test func headComesAtOnceFromVLLMAndWithTheFirstTokenFromLlama() throws {
        var vllm = try ServiceRig(.vllm)
        var llama = try ServiceRig(.llamaServer)
        let a = vllm.send("/v1/chat/completions", Bodies.chat())
        let b = llama.send("/v1/chat/completions", Bodies.chat())
        #expect(vllm.answers[a]?.status == 200)
        #expect(llama.answers[b] == nil)
        llama.run(for: .milliseconds(2))
        #expect(llama.answers[b]?.status == 200)
    }

    @Test func aTrailingAssistantMessageIsContinued() throws {
        let key = Bodies.key()
        let length = EmulatedText.naturalLength(of: key)
        let whole = EmulatedText.text(for: key, tokens: 0..<length)
        let said = EmulatedText.text(for: key, tokens: 0..<9)
        var quoted = JSONText()
        quoted.append(quoted: said)
        let messages = """
            "messages":[{"role":"user","content":[{"type":"text","text":"hello"}]},\
            {"role":"assistant","content":\(String(decoding: quoted.bytes, as: UTF8.self))}]
            """
        let flags = "\"continue_final_message\":true,\"add_generation_prompt\":false"
        for kind in [EngineKind.vllm, .llamaServer] {
            var rig = try ServiceRig(kind, seed: 77)
            let rest = rig.answer(
                "/v1/chat/completions", "{\"stream\":true,\(flags),\(messages)}")
            #expect(said + rest.text == whole)
        }
        var vllm = try ServiceRig(.vllm)
        // Without the flag it is one more turn; with both flags on it is refused.
        let fresh = vllm.answer("/v1/chat/completions", "{\"stream\":true,\(messages)}")
        #expect(fresh.text.hasPrefix("«") && said + fresh.text != whole)
        let wrong = vllm.answer(
            "/v1/chat/completions", "{\"continue_final_message\":true,\(messages)}")
        #expect(wrong.status == 400)
    }

    @Test func aCompletionPromptWithItsBeginningIsContinued() throws {
        var rig = try ServiceRig(.vllm)
        let key = EmulatedText.Key(Array("tell me".utf8))
        let said = EmulatedText.text(for: key, tokens: 0..<5)
        var prompt = JSONText()
        prompt.append(quoted: "tell me" + said)
        let text = String(decoding: prompt.bytes, as: UTF8.self)
        let rest = rig.answer(
            "/v1/completions", "{\"prompt\":\(text),\"stream\":true,\"max_tokens\":6}")
        #expect(rest.text == EmulatedText.text(for: key, tokens: 5..<11))
    }

    @Test func choicesInterleaveUnderTheirIndex() throws {
        var rig = try ServiceRig(.vllm)
        let answer = rig.answer(
            "/v1/chat/completions", Bodies.chat(extra: ",\"n\":2,\"max_tokens\":4"))
        for index in 0..<2 {
            let own = answer.events.filter { $0.contains("{\"index\":\(index),") }
            let key = Bodies.key().choice(index)
            #expect(
                own.map { ServiceRig.Answer.content(of: $0) }.joined()
                    == EmulatedText.text(for: key, tokens: 0..<4))
        }
        #expect(answer.events.filter { $0.contains("\"finish_reason\":\"length\"") }.count == 2)
        #expect(answer.events.last == "[DONE]")
    }

    @Test func aClientThatLeavesFreesTheEngine() throws {
        var rig = try ServiceRig(.vllm)
        let id = rig.send("/v1/chat/completions", Bodies.chat(extra: ",\"max_tokens\":500"))
        rig.run(for: .milliseconds(100))
        #expect(rig.service.engine.running == 1)
        rig.leave(id)
        #expect(rig.service.engine.running == 0)
        #expect(rig.service.openExchanges == 0)
        #expect(rig.get("/emulated/state").body.contains("\"abandoned\":1,\"cancelled\":1"))
    }
}
