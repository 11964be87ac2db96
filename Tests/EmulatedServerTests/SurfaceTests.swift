import EmulatedEngine
import InferenceTypes
import Testing

@testable import EmulatedServer

/// Pooling endpoints, pages, errors.
@Suite struct SurfaceTests {
    @Test func classifiesEveryInput() throws {
        var rig = try ServiceRig(.vllmRBLN)
        let answer = rig.answer(
            "/classify",
            "{\"input\":[\"You win a FREE prize, click\",\"see you at 7\",\"무료 당첨\"]}")
        let labels = answer.body.split(separator: "\"label\":\"").dropFirst().map { $0.prefix(3) }
        #expect(labels == ["spa", "ham", "spa"])
        #expect(answer.body.contains("\"num_classes\":2"))
        #expect(answer.body.contains("\"object\":\"list\""))
        #expect(rig.service.engine.counters.promptTokens == 7 + 3 + 4)
    }

    @Test func embeddingsAreDeterministic() throws {
        var a = try ServiceRig(.vllm, seed: 1)
        var b = try ServiceRig(.llamaServer, seed: 2)
        let vectors = [
            a.answer("/v1/embeddings", "{\"input\":\"x\"}"),
            b.answer("/v1/embeddings", "{\"input\":\"x\"}"),
        ].map { $0.body.split(separator: "\"embedding\":[").last?.prefix { $0 != "]" } }
        #expect(vectors[0] == vectors[1])
        #expect(vectors[0]?.split(separator: ",").count == 8)
    }

    @Test func ranksAndScores() throws {
        var rig = try ServiceRig()
        let ranked = rig.answer(
            "/v1/rerank",
            "{\"query\":\"cheap power\",\"documents\":[\"x\",\"cheap power now\"],\"top_n\":1}")
        #expect(ranked.body.contains("\"results\":[{\"index\":1,"))
        #expect(ranked.body.contains("\"relevance_score\":1.0}]"))
        let scored = rig.answer("/score", "{\"text_1\":\"a b\",\"text_2\":[\"a\",\"c\"]}")
        #expect(scored.body.contains("\"score\":0.5}") && scored.body.contains("\"score\":0.0}"))
        let none = "{\"query\":\"a\",\"documents\":[\"a\"],\"top_n\":-1}"
        #expect(rig.answer("/v1/rerank", none).body.contains("\"results\":[]"))
        #expect(rig.answer("/tokenize", "{\"prompt\":\"12345\"}").body.hasPrefix("{\"count\":2,"))
    }

    @Test func pagesSayWhatTheDialectSays() throws {
        var vllm = try ServiceRig(.vllm)
        var rbln = try ServiceRig(.vllmRBLN)
        var llama = try ServiceRig(.llamaServer)
        #expect(vllm.get("/health").status == 200)
        #expect(vllm.get("/version").body == "{\"version\":\"0.33.0\"}")
        #expect(rbln.get("/version").body == "{\"version\":\"0.30.0\"}")
        #expect(llama.get("/version").status == 404)
        #expect(vllm.get("/v1/models").body.contains("\"max_model_len\":131072"))
        #expect(llama.get("/props").body.contains("\"total_slots\":8"))
        #expect(vllm.answer("/nowhere", "{}").body == "{\"detail\":\"Not Found\"}")
        #expect(llama.answer("/classify", "{}").body.contains("\"code\":404"))
    }

    @Test func metricsCarryTheRealNames() throws {
        var vllm = try ServiceRig(.vllm)
        _ = vllm.answer("/v1/chat/completions", Bodies.chat(extra: ",\"max_tokens\":5"))
        let page = vllm.get("/metrics").body
        for (name, labels, value) in [
            ("num_requests_running", "", "0.0"), ("generation_tokens_total", "", "5.0"),
            ("request_success_total", ",finished_reason=\"length\"", "1.0"),
            ("iteration_tokens_total_count", "", "5.0"),
            ("inter_token_latency_seconds_sum", "", "0.04"),
        ] {
            let line = "vllm:\(name){engine=\"0\",model_name=\"m\"\(labels)} \(value)\n"
            #expect(page.contains(line), "\(line)")
        }
        var llama = try ServiceRig(.llamaServer)
        _ = llama.answer("/v1/chat/completions", Bodies.chat(extra: ",\"max_tokens\":5"))
        #expect(llama.get("/metrics").body.contains("llamacpp:tokens_predicted_total 5.0\n"))
        var sglang = try ServiceRig(.sglang)
        #expect(
            sglang.get("/metrics").body.contains(
                "sglang:num_running_reqs{model_name=\"m\"} 0.0\n"))
    }

    @Test func exportersShowTheSameEnergy() {
        func page(_ kind: ExporterPage.Kind) -> String {
            String(
                decoding: ExporterPage.text(
                    kind, name: "n1", accelerator: "H100", power: Watts(512.25),
                    energy: Joules(1234.5), isBusy: true), as: UTF8.self)
        }
        #expect(page(.dcgm).contains("DCGM_FI_DEV_POWER_USAGE{gpu=\"0\","))
        #expect(page(.dcgm).contains("hostname=\"n1\"} 1234500\n"))
        #expect(page(.rbln).contains("rbln_npu_power{") && page(.rbln).contains("} 512.25\n"))
        #expect(page(.rblnLegacy).contains("RBLN_DEVICE_STATUS:CARD_POWER{"))
        #expect(page(.kepler).contains("kepler_node_cpu_joules_total{"))
    }

    @Test func refusesBadRequests() throws {
        var rig = try ServiceRig { $0.engine.maxModelLength = 100 }
        let chat = "/v1/chat/completions"
        #expect(rig.answer(chat, "{").status == 400)
        #expect(rig.answer(chat, "[]").status == 400)
        #expect(rig.answer(chat, "{\"messages\":3}").status == 400)
        #expect(rig.answer(chat, "{\"model\":\"other\",\"prompt\":\"x\"}").status == 404)
        let long = Bodies.chat(String(repeating: "word ", count: 100))
        let answer = rig.answer(chat, long)
        #expect(answer.status == 400 && answer.body.contains("maximum context length"))
        #expect(rig.service.openExchanges == 0)
    }

    @Test func aFullQueueIs503() throws {
        var rig = try ServiceRig {
            $0.engine.maxSequences = 1
            $0.engine.maxWaiting = 1
        }
        let ids = (0..<4).map { _ in rig.send("/v1/chat/completions", Bodies.chat()) }
        #expect(rig.answers[ids[1]]?.status == 503)
        rig.run()
        #expect(rig.answers[ids[0]]?.events.last == "[DONE]")
    }

    @Test func loadingIs503() throws {
        var rig = try ServiceRig(.llamaServer) { $0.engine.warmUp = .seconds(2) }
        #expect(rig.get("/health").status == 503)
        #expect(rig.answer("/v1/chat/completions", Bodies.chat()).body.contains("Loading model"))
        #expect(rig.get("/health").status == 200)
    }
}
