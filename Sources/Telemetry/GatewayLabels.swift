import InferenceTypes

extension GatewayInstruments {
    /// Statuses that the gateway answers with; anything else is its class.
    enum Status {
        static let words = [
            "200", "400", "401", "403", "404", "405", "408", "413", "415", "429", "499", "500",
            "502", "503", "504", "2xx", "3xx", "4xx", "5xx",
        ]
    }

    /// The position of a status code in the label `status`.
    @inline(__always)
    public static func label(status: Int) -> Int {
        switch status {
        case 200: 1
        case 400: 2
        case 401: 3
        case 403: 4
        case 404: 5
        case 405: 6
        case 408: 7
        case 413: 8
        case 415: 9
        case 429: 10
        case 499: 11
        case 500: 12
        case 502: 13
        case 503: 14
        case 504: 15
        case 201..<300: 16
        case 300..<400: 17
        case 402..<500: 18
        case 501..<600: 19
        default: LabelValues.other
        }
    }

    @inline(__always)
    public static func label(task: InferenceTask) -> Int {
        switch task {
        case .chat: 1
        case .completion: 2
        case .embedding: 3
        case .responses: 4
        case .classify: 5
        case .rerank: 6
        case .score: 7
        case .tokenize: 8
        case .detokenize: 9
        }
    }

    public enum TokenType: Int, ClosedLabel {
        case input = 1, output, cachedInput
    }

    /// Why a request was sent once more.
    public enum RetryCause: Int, ClosedLabel {
        case connect = 1, staleConnection, reset, timeout, status, truncated
    }

    /// Why a request was turned away or taken out of the queue: llm-d's words and two of ours.
    public enum RejectionReason: Int, ClosedLabel {
        case saturated = 1, noEndpoints, ttlExpired, contextCancelled, shuttingDown, powerBudget
        case quota, unauthorized, forbidden, badRequest, evicted, evictedPriority
    }

    /// What went wrong on the upstream side.
    public enum UpstreamErrorCause: Int, ClosedLabel {
        case connect = 1, tls, connectTimeout, firstByteTimeout, betweenBytesTimeout
        case totalTimeout, reset, protocolViolation, status, truncated, eventTooLong, midStream
    }

    /// Whether the shadow policy would have chosen the same endpoint.
    public enum Agreement: Int, ClosedLabel {
        case `false` = 1, `true`

        public init(_ agrees: Bool) { self = agrees ? .true : .false }
    }

    public enum HTTPVersion: Int, ClosedLabel {
        case h1 = 1, h2
    }

    public enum Encryption: Int, ClosedLabel {
        case cleartext = 1, tls

        public init(encrypted: Bool) { self = encrypted ? .tls : .cleartext }
    }
}

extension LabelValues {
    convenience init<Label: ClosedLabel>(_ name: String, _: Label.Type) {
        let cases = Array(Label.allCases)
        precondition(
            cases.map(\.rawValue) == Array(1..<(cases.count + 1)), "labels are numbered from 1")
        self.init(name, cases.map(\.word))
    }
}
