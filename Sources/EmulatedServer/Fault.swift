/// A way in which model servers fail. A number of events means content events of a stream: the
/// fault strikes when the next one (or the finish chunk) would go out, so that exactly so many
/// have left before. A stream that ends earlier is spared. Unary answers are hit as each case says.
public enum Fault: Equatable, Sendable {
    /// The connection closes without the last chunk. Unary: in the middle of a chunked body.
    case cutChunked(events: Int)
    /// As above, but the body is close-delimited: nothing but its content tells the cut.
    case cutClose(events: Int)
    /// An error event, then `[DONE]`: vLLM's way. Unary: status 500.
    case errorVLLM(events: Int)
    /// An error event, then a clean end without `[DONE]`: llama-server's way. Unary: status 500.
    case errorLlama(events: Int)
    /// Answers at once with this error status.
    case status(Int)
    /// Sends no more, keeps the connection open. Unary: never answers.
    case stall(events: Int)
    /// The request is taken up this much later.
    case slowHeader(milliseconds: Int)
    /// Bytes where a chunk size should stand. Unary: the same, instead of the second half.
    case garbageChunk(events: Int)
    /// A unary answer's connection is closed without a word so long after it; what comes on it
    /// meanwhile is not read: the race of an idle time-out. As a server's `--fault` it is the
    /// idle time-out itself (uvicorn, llama-server: 5 s).
    case keepaliveClose(milliseconds: Int)
    /// Every n-th unary answer of the server announces that its connection closes, and it does
    /// (llama-server: a hundred per connection).
    case maxRequests(Int)
    /// A comment before every event.
    case commentPings
    /// So many tokens per event.
    case multiToken(Int)
    /// No usage, whoever asks for it.
    case missingUsage
    /// The stream ends cleanly without `[DONE]`, after so many events or, if -1, at its end.
    case noDone(events: Int)
    /// The connection closes in the middle of the event after so many.
    case partialEvent(events: Int)
    /// The connection closes when the request is there. Nothing is sent.
    case closeBeforeHeaders
    /// A unary answer promises its whole length and breaks off half-way. Streams are spared.
    case unaryCut

    /// `nil` if `text` names no fault. See ``names``.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let number = parts.count > 1 ? Int(String(parts[1])) : nil
        if parts.count > 1, number == nil { return nil }
        if let number, number < 0 { return nil }
        let name = String(parts[0])
        switch name {
        case "cut-chunked": self = .cutChunked(events: number ?? 0)
        case "cut-close": self = .cutClose(events: number ?? 0)
        case "error-vllm": self = .errorVLLM(events: number ?? 0)
        case "error-llama": self = .errorLlama(events: number ?? 0)
        case "status-500": self = .status(500)
        case "status-503": self = .status(503)
        case "status-429": self = .status(429)
        case "stall": self = .stall(events: number ?? 0)
        case "slow-header": self = .slowHeader(milliseconds: number ?? 1_000)
        case "garbage-chunk": self = .garbageChunk(events: number ?? 0)
        case "keepalive-close": self = .keepaliveClose(milliseconds: number ?? 5_000)
        case "max-requests": self = .maxRequests(max(1, number ?? 100))
        case "comment-pings": self = .commentPings
        case "multi-token": self = .multiToken(max(1, number ?? 4))
        case "missing-usage": self = .missingUsage
        case "no-done": self = .noDone(events: number ?? -1)
        case "partial-event": self = .partialEvent(events: number ?? 0)
        case "close-before-headers": self = .closeBeforeHeaders
        case "unary-cut": self = .unaryCut
        default: return nil
        }
    }

    /// What `--fault` and `emulated_fault` take: a name, for some with `:number`.
    public static let names = [
        "cut-chunked:k", "cut-close:k", "error-vllm:k", "error-llama:k", "status-500",
        "status-503", "status-429", "stall:k", "slow-header:ms", "garbage-chunk:k",
        "keepalive-close:ms", "max-requests:n", "comment-pings", "multi-token:n", "missing-usage",
        "no-done[:k]", "partial-event:k", "close-before-headers", "unary-cut",
    ]

    /// After how many content events it strikes a stream; `nil`: it is not of that kind.
    var events: Int? {
        switch self {
        case .cutChunked(let events), .cutClose(let events), .errorVLLM(let events),
            .errorLlama(let events), .stall(let events), .garbageChunk(let events),
            .partialEvent(let events):
            events
        case .noDone(let events): events < 0 ? nil : events
        case .status, .slowHeader, .keepaliveClose, .maxRequests, .commentPings, .multiToken,
            .missingUsage, .closeBeforeHeaders, .unaryCut:
            nil
        }
    }
}
