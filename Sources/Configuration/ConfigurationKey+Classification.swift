extension ConfigurationKey {
    /// How messages are gathered and what their verdicts are made of.
    static let classificationKeys = batchingKeys + verdictKeys

    private static let batchingKeys = [
        ConfigurationKey(
            "models[].dynamic_batching.share_tenants", "true or false", "false",
            "may tenants with the same pools, class and promise share a batch"),
        ConfigurationKey(
            "models[].dynamic_batching.default_queue_policy.max_queue_size", "count", "16384",
            "messages that wait in the gateway, also for an endpoint or another attempt; beyond it"
                + " requests get 429"),
        ConfigurationKey(
            "models[].dynamic_batching.default_queue_policy.default_timeout_microseconds",
            "microseconds", "0", "from arrival to verdict; 0: no limit"),
        ConfigurationKey(
            "models[].dynamic_batching.default_queue_policy.allow_timeout_override",
            "true or false", "true", "may x-request-timeout-ms set another"),
    ]

    private static let verdictKeys = [
        ConfigurationKey(
            "models[].classification.version", "text", "the upstream name",
            "what verdicts name as the model's version"),
        ConfigurationKey(
            "models[].classification.labels", "list of labels", "[]",
            "the model's labels in the order of its classes"),
        ConfigurationKey(
            "models[].classification.positive_label", "label", "none",
            "the one that threshold, linear scorer and predicates are about"),
        ConfigurationKey(
            "models[].classification.threshold", "number, 0 to 1", "none",
            "least probability of the positive label; none: the model's own label"),
        ConfigurationKey(
            "models[].classification.when_undecided", "answer, error", "answer",
            "without a verdict in time: status 200 and the label undecided, or 504"),
        ConfigurationKey(
            "models[].classification.cache.entries", "count", "0",
            "verdicts kept for each tenant on each reactor; 0: none"),
        ConfigurationKey(
            "models[].classification.cache.ttl_seconds", "seconds", "300",
            "how long a verdict is kept"),
        ConfigurationKey(
            "models[].classification.linear.weights", "file", "required with linear",
            "weights that train-spam wrote"),
        ConfigurationKey(
            "models[].classification.linear.candidate", "file", "none",
            "weights that score beside them without effect"),
        ConfigurationKey(
            "models[].classification.linear.negative_below", "number, 0 to 1", "0",
            "a smaller probability gives the other label at once"),
        ConfigurationKey(
            "models[].classification.linear.positive_above", "number, 0 to 2", "1.01",
            "one as large gives the positive label at once; above 1: never"),
    ]
}
