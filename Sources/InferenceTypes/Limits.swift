/// Every bound of the program in one place, each with its default. The configuration's `limits:`
/// block overrides them by the snake_case of these names; `docs/configuration.md` lists them.
public struct Limits: Hashable, Sendable {
    // Downstream requests
    /// Longest request body, bytes.
    public var requestBodyBytes = 8 << 20
    /// Longest request target, bytes.
    public var uriBytes = 8 << 10
    /// Decoded header list, each field charged as name + value + 32 bytes.
    public var headerListBytes = 64 << 10
    /// Fields in one header block, every cookie crumb counted.
    public var headerFields = 100
    /// Fields behind a body.
    public var trailerFields = 16
    /// Those fields together, each charged as name + value + 32 bytes in HTTP/2, as the bytes of
    /// its line in HTTP/1.1.
    public var trailerBytes = 4 << 10
    /// What may stand behind the size of one HTTP/1.1 chunk.
    public var chunkExtensionBytes = 256
    /// JSON nesting.
    public var jsonDepth = 64
    /// Texts that one request may have classified.
    public var messagesPerRequest = 4_096
    /// Request bodies of the whole process together, bytes of memory; beyond it requests are
    /// refused as overload.
    public var bodyBudgetBytes = 512 << 20

    // Downstream connections
    public var connections = 10_000
    public var concurrentStreams = 100
    /// Bytes held per stream for a slow reader before its upstream is paused.
    public var streamBufferBytes = 32 << 10
    /// How long events of busy streams may gather for one write, microseconds; 0: not at all.
    public var streamCoalescingMicroseconds = 550
    /// Frames that may wait in one HTTP/2 session's outbound queue.
    public var outboundFrames = 1_000
    /// Response bytes of the whole process that wait for clients; beyond it new requests are
    /// refused as overload, and running ones wait for their clients.
    public var responseBudgetBytes = 512 << 20
    /// Suspicious but legal frames that an HTTP/2 connection may send at once.
    public var glitches = 200
    /// How many of them are forgotten each second.
    public var glitchesPerSecond = 20
    /// A stream that its client resets before this age counts as reset early.
    public var earlyReset = TimeSpan.seconds(1)
    /// Streams of a connection that must have ended before the share of early resets is judged.
    public var earlyResetStreams = 500
    /// Largest share of early resets among the last streams, beyond a margin of as many as may be
    /// open at once.
    public var earlyResetPercent = 50
    public var handshakeTimeout = TimeSpan.seconds(10)
    /// From the first byte of a header block to its end.
    public var headerTimeout = TimeSpan.seconds(10)
    /// From the start of an HTTP/2 connection to its first request.
    public var firstRequestTimeout = TimeSpan.seconds(10)
    /// Between two pieces of a request body.
    public var bodyTimeout = TimeSpan.seconds(30)
    /// From the end of a request's head to the end of its body.
    public var bodyTotalTimeout = TimeSpan.seconds(120)
    public var idleTimeout = TimeSpan.seconds(300)
    /// A response of which fewer than ``stallBytes`` leave in this time, although they wait, is
    /// given up.
    public var stallTimeout = TimeSpan.seconds(60)
    public var stallBytes = 512
    /// How long running streams may finish after SIGTERM.
    public var drainTimeout = TimeSpan.seconds(30)

    // Upstream
    public var upstreamConnectTimeout = TimeSpan.seconds(2)
    /// From the request's last byte to the response head.
    public var upstreamFirstByteTimeout = TimeSpan.seconds(120)
    /// Between two pieces of a response.
    public var upstreamBetweenBytesTimeout = TimeSpan.seconds(60)
    /// The whole exchange.
    public var upstreamTotalTimeout = TimeSpan.seconds(1_800)
    /// Idle connections are closed before the model server does it (uvicorn: 5 s).
    public var upstreamIdleTimeout = TimeSpan.seconds(4)
    public var upstreamConnectionsPerEndpoint = 1_024
    public var upstreamHeaderBytes = 64 << 10
    /// One server-sent event; a longer one fails the stream.
    public var eventBytes = 1 << 20
    /// A unary answer up to this size is held until whole, so that a cut one can still be retried.
    public var unaryBufferBytes = 256 << 10
    /// Attempts per request, the first one included.
    public var attempts = 3
    /// No further attempt once this long has passed since arrival.
    public var retryWindow = TimeSpan.seconds(10)
    /// Requests that the parts of one batch may take together, once a model server erred on it.
    public var batchRetries = 32

    // Scheduling
    public var queuedRequests = 4_096
    public var queueTimeout = TimeSpan.seconds(30)
    /// The same for bulk requests, which others pass.
    public var bulkQueueTimeout = TimeSpan.seconds(600)
    /// Beginnings of prompts that are remembered, each once per endpoint; the oldest go.
    public var rememberedPrefixes = 131_072

    // Energy
    /// Requests that ended and wait for a meter's window to close, per meter; beyond it those of
    /// one account share an entry.
    public var unsettledRequests = 65_536
    /// Combinations of pool, model, tenant and class that have an account of their own.
    public var energyAccounts = 16_384

    // Journal
    /// Records of scheduler events that wait for the disk, bytes of memory; beyond it the journal
    /// ends with a gap.
    public var journalBufferBytes = 16 << 20

    public init() {}
}
