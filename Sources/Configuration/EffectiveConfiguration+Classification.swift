import InferenceTypes

extension GatewayConfiguration {
    static func tree(_ batching: DynamicBatching) -> YAMLValue {
        let policy = batching.queuePolicy
        return .block([
            ("max_batch_size", .integer(batching.maxBatchSize)),
            (
                "preferred_batch_size",
                .list(batching.preferredBatchSizes.map { .integer($0) })
            ),
            ("max_queue_delay_microseconds", microseconds(batching.maxQueueDelay)),
            ("preserve_ordering", .boolean(batching.preserveOrdering)),
            ("share_tenants", .boolean(batching.shareTenants)),
            (
                "default_queue_policy",
                .block([
                    ("max_queue_size", .integer(policy.maxQueueSize)),
                    ("default_timeout_microseconds", microseconds(policy.defaultTimeout)),
                    ("allow_timeout_override", .boolean(policy.allowTimeoutOverride)),
                ])
            ),
        ])
    }

    static func tree(_ classification: Classification) -> YAMLValue {
        let positive = classification.positiveLabel.map { classification.labels[$0] }
        return .block([
            ("version", .optional(classification.version) { .text($0) }),
            ("labels", .list(classification.labels.map { .text($0) })),
            ("positive_label", .optional(positive) { .text($0) }),
            ("threshold", .optional(classification.threshold) { .number($0) }),
            ("when_undecided", .plain(classification.whenUndecided.rawValue)),
            (
                "cache",
                .block([
                    ("entries", .integer(classification.cache.entries)),
                    (
                        "ttl_seconds",
                        .integer(Int(classification.cache.lifetime.seconds))
                    ),
                ])
            ),
            (
                "linear",
                .optional(classification.linear) { linear in
                    .block([
                        ("weights", .text(linear.weights)),
                        ("candidate", .optional(linear.candidate) { .text($0) }),
                        ("negative_below", .number(linear.negativeBelow)),
                        ("positive_above", .number(linear.positiveAbove)),
                    ])
                }
            ),
        ])
    }

    private static func microseconds(_ span: TimeSpan) -> YAMLValue {
        .plain("\(span.nanoseconds / 1_000)")
    }
}
