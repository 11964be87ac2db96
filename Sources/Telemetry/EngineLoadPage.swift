import InferenceTypes

/// What an engine's metrics page says of its load. nil: the page does not have the figure, which
/// is a state of its own and never zero.
public struct EngineLoadPage: Hashable, Sendable {
    /// Requests in the running batch.
    public var running: Double?
    /// Requests waiting for capacity.
    public var waiting: Double?
    /// Share of the KV cache in use, 0 to 1.
    public var kvUsage: Double?
    /// Input tokens since the engine's start, cached ones included.
    public var promptTokens: Double?
    public var cachedPromptTokens: Double?
    /// Output tokens since the engine's start.
    public var generationTokens: Double?
    /// Steps since the engine's start: with the tokens, the batch size and step time.
    public var iterations: Double?
    public var preemptions: Double?
    /// Tokens that the prefix cache has room for, what runs included; 0: it is switched off.
    public var prefixCacheRoom: Double?
    public var summary = PrometheusText.Summary()

    public enum Signal: CaseIterable, Sendable {
        case running, waiting, kvUsage, promptTokens, cachedPromptTokens, generationTokens
        case iterations, preemptions
    }

    public init() {}

    /// Reads a page of an engine of `kind`. Series of several ranks or models are added, shares
    /// averaged over them.
    public init(_ page: [UInt8], engine kind: EngineKind) {
        let names = Self.names(of: kind)
        // By position in `names`: sum and number of finite samples.
        var found = [(sum: Double, count: Int)](repeating: (0, 0), count: names.count)
        summary = PrometheusText.parse(page) { sample in
            guard sample.value.isFinite, sample.value >= 0 else { return }
            if let room = Self.prefixCacheRoom(sample, kind) {
                prefixCacheRoom = (prefixCacheRoom ?? 0) + room
            }
            for (index, name) in names.enumerated() where sample.isNamed(name.metric) {
                if let (label, value) = name.match, sample.label(label) != value { continue }
                found[index].sum += sample.value
                found[index].count += 1
            }
        }
        for signal in Signal.allCases {
            // The first name that the page has wins: names of one signal are aliases.
            let index = names.indices.first {
                names[$0].signal == signal && found[$0].count > 0
            }
            guard let index else { continue }
            let (sum, count) = found[index]
            self[signal] = signal == .kvUsage ? min(1, sum / Double(count)) : sum
        }
    }

    /// The signals that the page did not have.
    public var missing: [Signal] { Signal.allCases.filter { self[$0] == nil } }

    public subscript(signal: Signal) -> Double? {
        get {
            switch signal {
            case .running: running
            case .waiting: waiting
            case .kvUsage: kvUsage
            case .promptTokens: promptTokens
            case .cachedPromptTokens: cachedPromptTokens
            case .generationTokens: generationTokens
            case .iterations: iterations
            case .preemptions: preemptions
            }
        }
        set {
            switch signal {
            case .running: running = newValue
            case .waiting: waiting = newValue
            case .kvUsage: kvUsage = newValue
            case .promptTokens: promptTokens = newValue
            case .cachedPromptTokens: cachedPromptTokens = newValue
            case .generationTokens: generationTokens = newValue
            case .iterations: iterations = newValue
            case .preemptions: preemptions = newValue
            }
        }
    }

    // MARK: Names

    private struct Name {
        var signal: Signal
        var metric: String
        var match: (label: String, value: String)?

        init(_ signal: Signal, _ metric: String, _ match: (String, String)? = nil) {
            self.signal = signal
            self.metric = metric
            self.match = match
        }
    }

    /// Best name first within a signal. vllm-rbln serves vLLM's own page.
    private static func names(of kind: EngineKind) -> [Name] {
        switch kind {
        case .vllm, .vllmRBLN:
            [
                Name(.running, "vllm:num_requests_running"),
                Name(.waiting, "vllm:num_requests_waiting_by_reason", ("reason", "capacity")),
                Name(.waiting, "vllm:num_requests_waiting"),
                Name(.kvUsage, "vllm:kv_cache_usage_perc"),
                Name(.kvUsage, "vllm:gpu_cache_usage_perc"),
                Name(.promptTokens, "vllm:prompt_tokens_total"),
                Name(.promptTokens, "vllm:prompt_tokens"),
                Name(.cachedPromptTokens, "vllm:prompt_tokens_cached_total"),
                Name(.cachedPromptTokens, "vllm:prompt_tokens_cached"),
                // Of tokens, too, though by its name of blocks; pre-empted ones count twice.
                Name(.cachedPromptTokens, "vllm:prefix_cache_hits_total"),
                Name(.cachedPromptTokens, "vllm:prefix_cache_hits"),
                Name(.cachedPromptTokens, "vllm:gpu_prefix_cache_hits_total"),
                Name(.generationTokens, "vllm:generation_tokens_total"),
                Name(.generationTokens, "vllm:generation_tokens"),
                Name(.iterations, "vllm:iteration_tokens_total_count"),
                Name(.preemptions, "vllm:num_preemptions_total"),
                Name(.preemptions, "vllm:num_preemptions"),
            ]
        case .llamaServer:
            [
                Name(.running, "llamacpp:requests_processing"),
                Name(.waiting, "llamacpp:requests_deferred"),
                Name(.kvUsage, "llamacpp:kv_cache_usage_ratio"),
                Name(.promptTokens, "llamacpp:prompt_tokens_total"),
                Name(.cachedPromptTokens, "llamacpp:prompt_tokens_cached_total"),
                Name(.generationTokens, "llamacpp:tokens_predicted_total"),
                Name(.iterations, "llamacpp:n_decode_total"),
            ]
        case .sglang:
            [
                Name(.running, "sglang:num_running_reqs"),
                Name(.waiting, "sglang:num_queue_reqs"),
                Name(.kvUsage, "sglang:token_usage"),
                Name(.promptTokens, "sglang:prompt_tokens_total"),
                Name(.cachedPromptTokens, "sglang:cached_tokens_total"),
                Name(.generationTokens, "sglang:generation_tokens_total"),
            ]
        }
    }
}
