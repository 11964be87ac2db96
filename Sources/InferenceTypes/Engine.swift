/// The model server behind an endpoint: its dialect on the wire and its batching rules.
public enum EngineKind: String, CaseIterable, Sendable {
    case vllm
    case vllmRBLN = "vllm-rbln"
    case llamaServer = "llama-server"
    case sglang
}

/// What an endpoint computes on.
public enum AcceleratorKind: String, CaseIterable, Sendable {
    case gpu, npu, cpu
}

/// What a request asks of a model: one value per upstream path that is forwarded.
public enum InferenceTask: String, CaseIterable, Sendable {
    case chat
    case completion
    case embedding
    case responses
    case classify
    case rerank
    case score
    case tokenize
    case detokenize

    /// True if the engine generates tokens one after the other, so that decode energy applies.
    public var generates: Bool {
        switch self {
        case .chat, .completion, .responses: true
        case .embedding, .classify, .rerank, .score, .tokenize, .detokenize: false
        }
    }

    /// The position of the case: an index into tables, and its number in journals. New cases get
    /// new ones, none is renumbered.
    public var ordinal: Int {
        switch self {
        case .chat: 0
        case .completion: 1
        case .embedding: 2
        case .responses: 3
        case .classify: 4
        case .rerank: 5
        case .score: 6
        case .tokenize: 7
        case .detokenize: 8
        }
    }
}

/// How urgent a request is. Order of the cases is the order of precedence.
public enum ServiceClass: String, CaseIterable, Comparable, Sendable {
    case system, interactive, `default`, bulk

    /// 0 is the most urgent.
    public var rank: Int {
        switch self {
        case .system: 0
        case .interactive: 1
        case .default: 2
        case .bulk: 3
        }
    }

    public static func < (a: ServiceClass, b: ServiceClass) -> Bool { a.rank < b.rank }
}

/// A latency promise. `nil` means none.
public struct LatencyObjective: Hashable, Sendable {
    /// Time to first token (TTFT).
    public var timeToFirstToken: TimeSpan?
    /// Inter-token latency (ITL), the mean over one request's gaps.
    public var interTokenLatency: TimeSpan?

    public init(timeToFirstToken: TimeSpan? = nil, interTokenLatency: TimeSpan? = nil) {
        self.timeToFirstToken = timeToFirstToken
        self.interTokenLatency = interTokenLatency
    }

    /// Answers below this many tokens are judged by their end: a mean over a handful of gaps says
    /// nothing of the pace.
    public static let fewTokens = 16

    /// True if an answer whose first and last token came so long after its arrival kept the
    /// promise: TTFT and mean ITL within their limits; with under 16 tokens its end within TTFT
    /// limit + 16 x ITL limit. Worked, 1 s and 60 ms: 10 tokens have to be there after 1.96 s;
    /// 101 tokens from 0.5 s on have until 6.5 s.
    public func isMet(firstToken: TimeSpan, end: TimeSpan, outputTokens: Int) -> Bool {
        guard let gap = interTokenLatency else {
            return timeToFirstToken.map { firstToken <= $0 } ?? true
        }
        let most = timeToFirstToken ?? .never
        if outputTokens < Self.fewTokens {
            return end <= most + TimeSpan(seconds: gap.seconds * Double(Self.fewTokens))
        }
        let mean = (end - firstToken).seconds / Double(outputTokens - 1)
        return firstToken <= most && mean <= gap.seconds
    }
}

/// Tokens as the engine counted them. `nil` means that it did not say: never zero by default.
public struct Usage: Hashable, Sendable {
    public var inputTokens: Int?
    public var outputTokens: Int?
    /// Of the input tokens, how many came out of the prefix cache.
    public var cachedInputTokens: Int?

    public init(
        inputTokens: Int? = nil, outputTokens: Int? = nil, cachedInputTokens: Int? = nil
    ) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.cachedInputTokens = cachedInputTokens
    }
}

/// What the core knows of one request: no text, no headers, only sizes and names.
public struct InferenceRequest: Hashable, Sendable {
    public var id: RequestID
    public var tenant: TenantID
    public var model: ModelID
    public var task: InferenceTask
    public var serviceClass: ServiceClass
    public var streams: Bool
    /// UTF-8 bytes of prompt text; the scheduler turns them into tokens by learned bytes per token.
    public var promptBytes: Int
    /// Images and other non-text parts in the prompt.
    public var mediaParts: Int
    /// The client's limit on output tokens, if it gave one.
    public var maxOutputTokens: Int?
    /// Choices asked for (`n`), at least 1.
    public var choices: Int
    public var objective: LatencyObjective
    /// The client wants to know what its request has cost.
    public var reportsEnergy = false
    /// What the prompt begins with; empty: unknown, or of no use.
    public var prefix = PromptPrefix()
    /// Salted hash of the key that the client gave its session; 0: none.
    public var session: UInt64 = 0

    public init(
        id: RequestID, tenant: TenantID = .anonymous, model: ModelID, task: InferenceTask,
        serviceClass: ServiceClass = .default, streams: Bool = false, promptBytes: Int,
        mediaParts: Int = 0, maxOutputTokens: Int? = nil, choices: Int = 1,
        objective: LatencyObjective = LatencyObjective()
    ) {
        self.id = id
        self.tenant = tenant
        self.model = model
        self.task = task
        self.serviceClass = serviceClass
        self.streams = streams
        self.promptBytes = promptBytes
        self.mediaParts = mediaParts
        self.maxOutputTokens = maxOutputTokens
        self.choices = choices
        self.objective = objective
    }
}
