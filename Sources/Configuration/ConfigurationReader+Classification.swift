import InferenceTypes

/// How messages are batched and their verdicts read.
extension ConfigurationReader {
    func batching(of block: BlockReader) -> GatewayConfiguration.DynamicBatching? {
        var batching = GatewayConfiguration.DynamicBatching()
        let largest = block.integer("max_batch_size", in: 1...65_536)
        batching.maxBatchSize = largest ?? batching.maxBatchSize
        batching.preferredBatchSizes =
            (block.integers("preferred_batch_size", in: 1...65_536) ?? []).sorted()
        if let delay = block.integer("max_queue_delay_microseconds", in: 0...10_000_000) {
            batching.maxQueueDelay = .microseconds(Int64(delay))
        }
        batching.preserveOrdering =
            block.boolean("preserve_ordering") ?? batching.preserveOrdering
        batching.shareTenants = block.boolean("share_tenants") ?? batching.shareTenants
        batching.queuePolicy = queuePolicy(of: block.block("default_queue_policy"))
        if let top = batching.preferredBatchSizes.last, top > batching.maxBatchSize {
            reading.error(
                "preferred_batch_size holds \(top), above max_batch_size \(batching.maxBatchSize)",
                at: block.place)
        }
        return block.exists ? batching : nil
    }

    private func queuePolicy(of block: BlockReader) -> GatewayConfiguration.QueuePolicy {
        var policy = GatewayConfiguration.QueuePolicy()
        policy.maxQueueSize =
            block.integer("max_queue_size", in: 1...1_000_000) ?? policy.maxQueueSize
        if let timeout = block.integer("default_timeout_microseconds", in: 0...3_600_000_000) {
            policy.defaultTimeout = .microseconds(Int64(timeout))
        }
        policy.allowTimeoutOverride =
            block.boolean("allow_timeout_override") ?? policy.allowTimeoutOverride
        return policy
    }

    /// Only messages that are batched go through the cascade: others are passed on as they are.
    func warnOfIdleClassification(_ model: GatewayConfiguration.Model, _ block: BlockReader) {
        guard block.exists, model.batching == nil || model.task != .classify else { return }
        reading.warning(
            "no effect without task: classify and a dynamic_batching block", at: block.place)
    }

    func classification(of block: BlockReader) -> GatewayConfiguration.Classification {
        var classification = GatewayConfiguration.Classification()
        classification.version = block.string("version")?.value
        classification.labels = (block.strings("labels") ?? []).map(\.value)
        if let label = block.string("positive_label") {
            classification.positiveLabel = classification.labels.firstIndex(of: label.value)
            if classification.positiveLabel == nil {
                reading.error("\(reading.quoted(label.value)) is none of labels", at: label)
            }
        }
        classification.threshold = block.number("threshold", in: 0...1)
        if classification.threshold != nil, classification.positiveLabel == nil {
            reading.error("a threshold needs labels and a positive_label", at: block.place)
        }
        classification.whenUndecided =
            block.choice("when_undecided") ?? classification.whenUndecided
        let cache = block.block("cache")
        classification.cache.entries =
            cache.integer("entries", in: 0...1_048_576) ?? classification.cache.entries
        if let seconds = cache.integer("ttl_seconds", in: 1...86_400) {
            classification.cache.lifetime = .seconds(Int64(seconds))
        }
        classification.linear = linear(of: block.block("linear"), classification)
        return classification
    }

    private func linear(
        of block: BlockReader, _ classification: GatewayConfiguration.Classification
    ) -> GatewayConfiguration.Linear? {
        let below = block.number("negative_below", in: 0...1)
        let above = block.number("positive_above", in: 0...2)
        let candidate = block.string("candidate")?.value
        guard block.exists, let weights = block.required("weights") else { return nil }
        var linear = GatewayConfiguration.Linear(weights: weights.value)
        linear.candidate = candidate
        linear.negativeBelow = below ?? linear.negativeBelow
        linear.positiveAbove = above ?? linear.positiveAbove
        if linear.negativeBelow > linear.positiveAbove {
            reading.error("negative_below is above positive_above", at: block.place)
        }
        if classification.labels.count != 2 || classification.positiveLabel == nil {
            reading.error(
                "the linear scorer needs two labels and a positive_label", at: block.place)
        }
        return linear
    }
}
