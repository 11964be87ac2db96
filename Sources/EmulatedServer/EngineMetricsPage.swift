import EmulatedEngine
import InferenceTypes

/// `/metrics` of a model server, names and labels as the real ones have them.
struct EngineMetricsPage {
    private var page = JSONText()
    private let labels: String
    private let hasPrefixCache: Bool

    init(engine: EmulatedEngine, dialect: Dialect, model: String, hasPrefixCache: Bool) {
        self.hasPrefixCache = hasPrefixCache
        if dialect.isLlama {
            labels = ""
            addLlama(engine)
        } else {
            var quoted = JSONText()
            quoted.append(quoted: model)
            let name = String(decoding: quoted.bytes, as: UTF8.self)
            let isSGLang = dialect.kind == .sglang
            labels = isSGLang ? "model_name=\(name)" : "engine=\"0\",model_name=\(name)"
            if isSGLang { addSGLang(engine) } else { addVLLM(engine) }
        }
    }

    var text: [UInt8] { page.bytes }

    // MARK: vLLM

    private mutating func addVLLM(_ engine: EmulatedEngine) {
        let counters = engine.counters
        gauge("vllm:num_requests_running", Double(engine.running))
        gauge("vllm:num_requests_waiting", Double(engine.waiting))
        type("vllm:num_requests_waiting_by_reason", "gauge")
        let waiting = Double(engine.waiting)
        sample("vllm:num_requests_waiting_by_reason", "reason=\"capacity\"", waiting)
        sample("vllm:num_requests_waiting_by_reason", "reason=\"deferred\"", 0)
        gauge("vllm:kv_cache_usage_perc", engine.kvUsage)
        type("vllm:cache_config_info", "gauge")
        sample(
            "vllm:cache_config_info",
            "block_size=\"\(engine.kvBlockTokens)\",enable_prefix_caching="
                + "\"\(hasPrefixCache ? "True" : "False")\",num_gpu_blocks=\"\(engine.kvBlocks)\"",
            1)
        counter("vllm:num_preemptions_total", Double(counters.preemptions))
        counter("vllm:prompt_tokens_total", Double(counters.promptTokens))
        counter("vllm:prompt_tokens_cached_total", Double(counters.cachedPromptTokens))
        counter("vllm:generation_tokens_total", Double(counters.generationTokens))
        counter("vllm:prefix_cache_queries_total", Double(counters.promptTokens))
        counter("vllm:prefix_cache_hits_total", Double(counters.cachedPromptTokens))
        type("vllm:request_success_total", "counter")
        for (reason, count) in [
            ("stop", counters.finishedByStop), ("length", counters.finishedByLength),
            ("abort", counters.cancelled),
        ] {
            sample("vllm:request_success_total", "finished_reason=\"\(reason)\"", Double(count))
        }
        // A histogram by type; only its sum and count are read by anybody.
        type("vllm:iteration_tokens_total", "histogram")
        let iterations = Double(counters.iterations)
        sample("vllm:iteration_tokens_total_bucket", "le=\"+Inf\"", iterations)
        sample("vllm:iteration_tokens_total_sum", "", Double(counters.iterationTokens))
        sample("vllm:iteration_tokens_total_count", "", iterations)
        histogram("vllm:time_to_first_token_seconds", counters.timeToFirstToken)
        histogram("vllm:inter_token_latency_seconds", counters.interTokenLatency)
        histogram("vllm:e2e_request_latency_seconds", counters.endToEndLatency)
        histogram("vllm:request_queue_time_seconds", counters.queueTime)
    }

    // MARK: SGLang

    private mutating func addSGLang(_ engine: EmulatedEngine) {
        let counters = engine.counters
        let decoding = counters.decodeTime.seconds
        gauge("sglang:num_running_reqs", Double(engine.running))
        gauge("sglang:num_queue_reqs", Double(engine.waiting))
        gauge("sglang:token_usage", engine.kvUsage)
        gauge(
            "sglang:gen_throughput",
            decoding > 0 ? Double(counters.generationTokens) / decoding : 0)
        gauge(
            "sglang:cache_hit_rate",
            Double(counters.cachedPromptTokens) / Double(max(1, counters.promptTokens)))
        counter("sglang:prompt_tokens_total", Double(counters.promptTokens))
        counter("sglang:generation_tokens_total", Double(counters.generationTokens))
        counter("sglang:num_retracted_reqs", Double(counters.preemptions))
        histogram("sglang:time_to_first_token_seconds", counters.timeToFirstToken)
        histogram("sglang:inter_token_latency_seconds", counters.interTokenLatency)
        histogram("sglang:e2e_request_latency_seconds", counters.endToEndLatency)
    }

    // MARK: llama-server

    private mutating func addLlama(_ engine: EmulatedEngine) {
        let counters = engine.counters
        let prompt = counters.prefillTime.seconds
        let predicted = counters.decodeTime.seconds
        counter("llamacpp:prompt_tokens_total", Double(counters.promptTokens))
        counter("llamacpp:prompt_tokens_cached_total", Double(counters.cachedPromptTokens))
        counter("llamacpp:prompt_seconds_total", prompt)
        counter("llamacpp:tokens_predicted_total", Double(counters.generationTokens))
        counter("llamacpp:tokens_predicted_seconds_total", predicted)
        counter("llamacpp:n_decode_total", Double(counters.iterations))
        gauge(
            "llamacpp:n_busy_slots_per_decode",
            Double(counters.iterationSequences) / Double(max(1, counters.iterations)))
        gauge(
            "llamacpp:prompt_tokens_seconds",
            prompt > 0 ? Double(counters.promptTokens) / prompt : 0)
        gauge(
            "llamacpp:predicted_tokens_seconds",
            predicted > 0 ? Double(counters.generationTokens) / predicted : 0)
        gauge("llamacpp:requests_processing", Double(engine.running))
        gauge("llamacpp:requests_deferred", Double(engine.waiting))
    }

    // MARK: Text format

    private mutating func type(_ name: String, _ type: StaticString) {
        page.append("# TYPE ")
        page.append(text: name)
        page.append(" ")
        page.append(type)
        page.append("\n")
    }

    private mutating func gauge(_ name: String, _ value: Double) {
        type(name, "gauge")
        sample(name, "", value)
    }

    private mutating func counter(_ name: String, _ value: Double) {
        type(name, "counter")
        sample(name, "", value)
    }

    private mutating func histogram(_ name: String, _ histogram: LatencyHistogram) {
        type(name, "histogram")
        var total = 0
        for (index, bound) in histogram.bounds.seconds.enumerated() {
            total += histogram.buckets[index]
            sample("\(name)_bucket", "le=\"\(bound)\"", Double(total))
        }
        sample("\(name)_bucket", "le=\"+Inf\"", Double(histogram.count))
        sample("\(name)_sum", "", histogram.sum.seconds)
        sample("\(name)_count", "", Double(histogram.count))
    }

    private mutating func sample(_ name: String, _ extra: String, _ value: Double) {
        page.append(text: name)
        let all = [labels, extra].filter { !$0.isEmpty }.joined(separator: ",")
        if !all.isEmpty { page.append(text: "{\(all)}") }
        page.append(" ")
        page.append(number: value)
        page.append("\n")
    }
}
