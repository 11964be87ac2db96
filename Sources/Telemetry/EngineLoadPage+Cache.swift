import InferenceTypes

extension EngineLoadPage {
    /// Tokens that a rank's prefix cache has room for, if the sample says that.
    ///
    /// vLLM says it in the labels of a figure that is always 1. Where it is switched off, blocks
    /// are still counted there: they are for what runs.
    static func prefixCacheRoom(_ sample: PrometheusSample, _ kind: EngineKind) -> Double? {
        switch kind {
        case .llamaServer: return nil
        case .sglang:
            return sample.isNamed("sglang:max_total_num_tokens") ? sample.value : nil
        case .vllm, .vllmRBLN:
            guard sample.isNamed("vllm:cache_config_info") else { return nil }
            if sample.label("enable_prefix_caching")?.lowercased() == "false" { return 0 }
            // "None" until the engine knows.
            guard let blocks = sample.label("num_gpu_blocks").flatMap(Double.init),
                let tokens = sample.label("block_size").flatMap(Double.init),
                (1...1e12).contains(blocks * tokens)
            else { return nil }
            return blocks * tokens
        }
    }
}
