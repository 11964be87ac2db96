import InferenceTypes

/// How an attempt on a model server went wrong.
public enum UpstreamFailure: Error, Hashable, Sendable {
    /// Which wait ran out.
    public enum Phase: String, CaseIterable, Sendable {
        case firstByte
        case betweenBytes
    }

    case connectFailed
    case closedBeforeHeaders
    case timeout(Phase)
    /// 503 queue full or 429: "ask another one", not "I am broken".
    case saturated(retryAfter: TimeSpan?)
    /// Any other 5xx.
    case serverError(status: Int)
    /// The server answered with something that is no valid response.
    case malformed
    /// The response ended before its end.
    case cut
    /// 4xx: the request's fault, and proof that the server is alive.
    case clientError(status: Int)

    /// What the failure says about the endpoint.
    public enum Verdict: Sendable {
        /// Nobody is there, or it does not answer: two in a row are enough.
        case unreachable
        /// It answers wrongly: several in a row are needed.
        case broken
        /// It works and has too much to do.
        case saturated
        /// It works.
        case sound
    }

    public var verdict: Verdict {
        switch self {
        case .connectFailed, .timeout(.firstByte): .unreachable
        case .closedBeforeHeaders, .timeout(.betweenBytes), .serverError, .malformed, .cut:
            .broken
        case .saturated: .saturated
        case .clientError: .sound
        }
    }

    /// An answer with a 5xx other than 503.
    var isServerError: Bool {
        if case .serverError = self { return true }
        return false
    }

    /// A short name for metrics and logs.
    public var name: String {
        switch self {
        case .connectFailed: "connect_failed"
        case .closedBeforeHeaders: "closed_before_headers"
        case .timeout(.firstByte): "first_byte_timeout"
        case .timeout(.betweenBytes): "between_bytes_timeout"
        case .saturated: "saturated"
        case .serverError: "server_error"
        case .malformed: "malformed"
        case .cut: "cut"
        case .clientError: "client_error"
        }
    }
}
