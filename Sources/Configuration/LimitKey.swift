import InferenceTypes

/// One bound of ``Limits`` as the `limits` block names it.
public struct LimitKey: Sendable {
    /// Where the value lives, and with it the unit.
    public enum Field: Sendable {
        case count(WritableKeyPath<Limits, Int> & Sendable)
        /// Written in milliseconds; the key ends in `_ms`.
        case span(WritableKeyPath<Limits, TimeSpan> & Sendable)

        var typeName: String {
            switch self {
            case .count: "count"
            case .span: "milliseconds"
            }
        }
    }

    public var name: String
    public var field: Field
    public var meaning: String
    /// The smallest value that a file may give a count.
    public var least = 1
    /// The largest one.
    public var most = 1 << 40

    /// As the file would write it.
    public var defaultValue: Int { value(in: Limits()) }

    /// The value of this bound as the file would write it.
    public func value(in limits: Limits) -> Int {
        switch field {
        case .count(let path): limits[keyPath: path]
        case .span(let path): Int(limits[keyPath: path].nanoseconds / 1_000_000)
        }
    }

    private static func count(
        _ name: String, _ path: WritableKeyPath<Limits, Int> & Sendable, _ meaning: String,
        least: Int = 1, most: Int = 1 << 40
    ) -> LimitKey {
        LimitKey(name: name, field: .count(path), meaning: meaning, least: least, most: most)
    }

    private static func span(
        _ name: String, _ path: WritableKeyPath<Limits, TimeSpan> & Sendable, _ meaning: String
    ) -> LimitKey {
        LimitKey(name: name, field: .span(path), meaning: meaning)
    }

    /// Every field of ``Limits``, in its order.
    public static let all: [LimitKey] = 
        requests + connections + floods + deadlines + upstream + scheduling + journal

    private static let requests = [
        count("request_body_bytes", \.requestBodyBytes, "longest request body"),
        count("uri_bytes", \.uriBytes, "longest request target"),
        count(
            "header_list_bytes", \.headerListBytes,
            "decoded header list, each field charged as name + value + 32"),
        count(
            "header_fields", \.headerFields, "fields in one header block, cookie crumbs counted"),
        count("trailer_fields", \.trailerFields, "fields behind a body"),
        count("trailer_bytes", \.trailerBytes, "those fields together"),
        count(
            "chunk_extension_bytes", \.chunkExtensionBytes,
            "what may stand behind the size of an HTTP/1.1 chunk"),
        count("json_depth", \.jsonDepth, "nesting of a JSON body"),
        count("messages_per_request", \.messagesPerRequest, "texts to classify in one request"),
        count(
            "body_budget_bytes", \.bodyBudgetBytes,
            "request bodies of the whole process; beyond it requests get 503"),
    ]

    private static let connections = [
        count("connections", \.connections, "client connections at once"),
        count("concurrent_streams", \.concurrentStreams, "streams of one HTTP/2 connection"),
        count(
            "stream_buffer_bytes", \.streamBufferBytes,
            "held per stream for a slow reader before its upstream is paused"),
        count(
            "stream_coalescing_microseconds", \.streamCoalescingMicroseconds,
            "that events of busy streams may gather for one write; 0: not at all", least: 0),
        count(
            "outbound_frames", \.outboundFrames,
            "frames that may wait in one HTTP/2 session"),
        count(
            "response_budget_bytes", \.responseBudgetBytes,
            "bytes that wait for clients in the whole process; beyond it new requests get 503"),
    ]

    private static let floods = [
        count("glitches", \.glitches, "suspicious frames of an HTTP/2 connection at once"),
        count(
            "glitches_per_second", \.glitchesPerSecond,
            "suspicious frames that are forgotten each second"),
        span("early_reset_ms", \.earlyReset, "a younger stream that is reset was reset early"),
        count(
            "early_reset_streams", \.earlyResetStreams,
            "streams before the share of early resets is judged"),
        count(
            "early_reset_percent", \.earlyResetPercent,
            "largest share of early resets, beyond as many as may be open at once"),
    ]

    private static let deadlines = [
        span("handshake_timeout_ms", \.handshakeTimeout, "for a TLS handshake"),
        span("header_timeout_ms", \.headerTimeout, "from first byte to end of a header block"),
        span(
            "first_request_timeout_ms", \.firstRequestTimeout,
            "from the start of an HTTP/2 connection to its first request"),
        span("body_timeout_ms", \.bodyTimeout, "between two pieces of a request body"),
        span("body_total_timeout_ms", \.bodyTotalTimeout, "for a whole request body"),
        span("idle_timeout_ms", \.idleTimeout, "for a connection without a request"),
        span(
            "stall_timeout_ms", \.stallTimeout,
            "for a waiting response of which fewer than stall_bytes leave"),
        count("stall_bytes", \.stallBytes, "what a client must take in stall_timeout_ms"),
        span("drain_timeout_ms", \.drainTimeout, "for running streams after SIGTERM"),
    ]

    private static let upstream = [
        span("upstream_connect_timeout_ms", \.upstreamConnectTimeout, "to connect"),
        span(
            "upstream_first_byte_timeout_ms", \.upstreamFirstByteTimeout,
            "from the request's last byte to the response head"),
        span(
            "upstream_between_bytes_timeout_ms", \.upstreamBetweenBytesTimeout,
            "between two pieces of a response"),
        span("upstream_total_timeout_ms", \.upstreamTotalTimeout, "for the whole exchange"),
        span(
            "upstream_idle_timeout_ms", \.upstreamIdleTimeout,
            "an idle connection is closed before the model server does it"),
        count(
            "upstream_connections_per_endpoint", \.upstreamConnectionsPerEndpoint,
            "connections to one model server"),
        count("upstream_header_bytes", \.upstreamHeaderBytes, "a response's header list"),
        count("event_bytes", \.eventBytes, "one server-sent event; a longer one fails the stream"),
        count(
            "unary_buffer_bytes", \.unaryBufferBytes,
            "a unary answer up to this is held whole, so that it can still be retried"),
        count("attempts", \.attempts, "attempts per request, the first one included"),
        span("retry_window_ms", \.retryWindow, "no further attempt this long after arrival"),
        count(
            "batch_retries", \.batchRetries,
            "requests that the parts of a batch may take once a model server erred on it",
            least: 0),
    ]

    private static let scheduling = [
        count("queued_requests", \.queuedRequests, "requests waiting in the queue"),
        span("queue_timeout_ms", \.queueTimeout, "longest wait in the queue"),
        span("bulk_queue_timeout_ms", \.bulkQueueTimeout, "the same for bulk requests"),
        count(
            "remembered_prefixes", \.rememberedPrefixes,
            "beginnings of prompts that are remembered, once per endpoint; the oldest go"),
        count(
            "unsettled_requests", \.unsettledRequests,
            "ended requests that wait for a meter's window; beyond it accounts share entries"),
        count(
            "energy_accounts", \.energyAccounts,
            "combinations of pool, model, tenant and class with an account of their own"),
    ]

    private static let journal = [
        count(
            "journal_buffer_bytes", \.journalBufferBytes,
            "records that wait for the disk, at most 1 GiB; beyond it the journal ends with a gap",
            // All of it is set aside at the start.
            most: 1 << 30)
    ]
}
