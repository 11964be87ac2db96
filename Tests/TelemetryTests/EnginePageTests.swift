import InferenceTypes
import Testing

@testable import Telemetry

@Suite struct EnginePageTests {
    @Test func vLLMIsRead() {
        let page = EngineLoadPage(
            Array(
                """
                vllm:num_requests_running{engine="0",model_name="m"} 3.0
                vllm:num_requests_running{engine="1",model_name="m"} 4.0
                vllm:num_requests_waiting{engine="0"} 9
                vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 2
                vllm:num_requests_waiting_by_reason{engine="0",reason="deferred"} 7
                vllm:kv_cache_usage_perc{engine="0"} 0.25
                vllm:kv_cache_usage_perc{engine="1"} 0.75
                vllm:prompt_tokens_total{engine="0"} 1e3
                vllm:generation_tokens_total{engine="0"} 500
                vllm:iteration_tokens_total_bucket{engine="0",le="1.0"} 1
                vllm:iteration_tokens_total_count{engine="0"} 44
                """.utf8), engine: .vllm)
        #expect(page.running == 7)
        #expect(page.waiting == 2)
        #expect(page.kvUsage == 0.5)
        #expect(page.promptTokens == 1000)
        #expect(page.generationTokens == 500)
        #expect(page.iterations == 44)
        #expect(page.missing == [.cachedPromptTokens, .preemptions])
    }

    @Test func anOlderVLLMIsReadByItsOwnNames() {
        let page = EngineLoadPage(
            Array(
                """
                vllm:num_requests_waiting 5
                vllm:gpu_cache_usage_perc 0.1
                vllm:num_requests_running NaN
                """.utf8), engine: .vllmRBLN)
        #expect(page.waiting == 5)
        #expect(page.kvUsage == 0.1)
        #expect(page.running == nil)
    }

    /// What 0.30 and 0.33 call the same thing; the first name that a page has counts.
    @Test(arguments: [
        ("vllm:prompt_tokens_cached_total 40\nvllm:prefix_cache_hits_total 64", 40.0),
        ("vllm:prefix_cache_hits_total 64\nvllm:prefix_cache_queries_total 90", 64.0),
        ("vllm:gpu_prefix_cache_hits_total 16", 16.0),
    ])
    func cachedTokensHaveSeveralNames(_ page: String, _ expected: Double) {
        for kind in [EngineKind.vllm, .vllmRBLN] {
            #expect(EngineLoadPage(Array(page.utf8), engine: kind).cachedPromptTokens == expected)
        }
    }

    @Test(arguments: [
        ("{block_size=\"16\",num_gpu_blocks=\"100\",enable_prefix_caching=\"True\"} 1.0", 1_600.0),
        ("{block_size=\"16\",num_gpu_blocks=\"100\"} 1.0", 1_600),
        ("{block_size=\"16\",num_gpu_blocks=\"100\",enable_prefix_caching=\"False\"} 1.0", 0),
        ("{block_size=\"16\",num_gpu_blocks=\"None\"} 1.0", nil),
        ("{block_size=\"16\",num_gpu_blocks=\"-4\"} 1.0", nil),
        ("{block_size=\"nan\",num_gpu_blocks=\"1e400\"} 1.0", nil),
        (" 1.0", nil),
    ])
    func roomForPrefixesIsInTheLabels(_ rest: String, _ expected: Double?) {
        let page = Array("vllm:cache_config_info\(rest)\n".utf8)
        #expect(EngineLoadPage(page, engine: .vllm).prefixCacheRoom == expected)
        // A rank each.
        let two = EngineLoadPage(page + page, engine: .vllmRBLN).prefixCacheRoom
        #expect(two == expected.map { $0 * 2 })
        #expect(EngineLoadPage(page, engine: .sglang).prefixCacheRoom == nil)
    }

    @Test func sglangSaysItsRoomInTokens() {
        let page = Array("sglang:max_total_num_tokens 437000.0\n".utf8)
        #expect(EngineLoadPage(page, engine: .sglang).prefixCacheRoom == 437_000)
        #expect(EngineLoadPage(page, engine: .llamaServer).prefixCacheRoom == nil)
    }

    @Test func llamaServerAndSGLangAreRead() {
        let llama = EngineLoadPage(
            Array(
                """
                llamacpp:requests_processing 2
                llamacpp:requests_deferred 0
                llamacpp:tokens_predicted_total 75
                llamacpp:prompt_tokens_total 33
                llamacpp:n_decode_total 80
                """.utf8), engine: .llamaServer)
        #expect(llama.running == 2)
        #expect(llama.waiting == 0)
        #expect(llama.generationTokens == 75)
        #expect(llama.iterations == 80)
        #expect(llama.missing == [.kvUsage, .cachedPromptTokens, .preemptions])
        let sglang = EngineLoadPage(
            Array("sglang:num_running_reqs 1\nsglang:token_usage 0.5\n".utf8), engine: .sglang)
        #expect(sglang.running == 1)
        #expect(sglang.kvUsage == 0.5)
        #expect(sglang.waiting == nil)
    }

    @Test func anEmptyOrForeignPageHasNothing() {
        #expect(EngineLoadPage([], engine: .vllm) == EngineLoadPage())
        let foreign = EngineLoadPage(Array("<html>\nx 1\n".utf8), engine: .llamaServer)
        #expect(foreign.missing.count == EngineLoadPage.Signal.allCases.count)
        #expect(foreign.summary.malformedLines == 1)
    }
}
