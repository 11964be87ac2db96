import InferenceTypes

/// What an endpoint's counters say of the requests that were sent there, against what was believed
/// of them: many servers tell nobody in an answer what they found in their cache.
///
/// Requests are counted when they are placed, and by the server when it computes them, so that a
/// window is off by those under way at its ends; shares of tokens are compared, not tokens.
struct CacheWitness: Sendable {
    /// What a window of the counters came to.
    struct Finding: Hashable, Sendable {
        /// Tokens that were believed to be cached, and that were.
        var believed: Int
        var said: Int
        var requests: Int
    }

    enum Reading: Hashable, Sendable {
        /// Nothing to learn yet.
        case none
        /// The counters began again: so did the server, and its cache is empty.
        case restarted
        case found(Finding)
    }

    /// A window ends no sooner than with so many requests.
    static let fewest = 8
    /// A window in which the server counted fewer or more tokens than so many times ours says
    /// nothing: others use the server, too, or its requests are still to be computed.
    static let agreement = 0.5...2.0

    private var base: (prompt: Double, cached: Double)?
    private var believed = 0
    private var input = 0
    private var requests = 0
    /// The last window said something: single answers are not to count a second time.
    private(set) var isHeard = false

    mutating func placed(believed tokens: Int, of inputTokens: Int) {
        guard base != nil, inputTokens > 0 else { return }
        believed = Self.sum(believed, tokens)
        input = Self.sum(input, inputTokens)
        requests += 1
    }

    mutating func read(_ report: Scheduler.CacheReport) -> Reading {
        guard let prompt = report.promptTokens, let cached = report.cachedPromptTokens,
            prompt.isFinite, cached.isFinite
        else {
            self = CacheWitness()
            return .none
        }
        guard let base, prompt >= base.prompt, cached >= base.cached else {
            let isRestart = base != nil
            begin(prompt, cached)
            isHeard = false
            return isRestart ? .restarted : .none
        }
        guard requests >= Self.fewest else { return .none }
        defer { begin(prompt, cached) }
        let counted = prompt - base.prompt
        isHeard = input > 0 && Self.agreement.contains(counted / Double(input))
        guard isHeard, believed > 0 else { return .none }
        let found = min((cached - base.cached) / counted, 1) * Double(input)
        return .found(Finding(believed: believed, said: Int(found), requests: requests))
    }

    /// Prompts' sizes are clients' numbers: the sum stops at 2^50.
    private static func sum(_ a: Int, _ b: Int) -> Int { min(a + min(max(b, 0), 1 << 50), 1 << 50) }

    private mutating func begin(_ prompt: Double, _ cached: Double) {
        base = (prompt, cached)
        believed = 0
        input = 0
        requests = 0
    }
}
