import EnergyModel
import InferenceTypes

/// Whether requests go where the beginning of their prompt lies in a cache, if that saves joules.
public struct AffinityRule: Hashable, Sendable {
    public var isOn = true
    /// How long an endpoint is taken to hold what it has not been asked for again.
    public var memory = TimeSpan.seconds(600)
    /// Tokens of prompts and answers that an endpoint's cache keeps beside what runs; `nil`: 2,048
    /// for each sequence that the profile runs at once. Too few and prompts go astray, too many and
    /// a busy endpoint drops what was counted on, when it can least afford to compute it.
    public var tokensPerEndpoint: Int?
    static let tokensPerSequence = 2_048

    public init() {}
    public static let defaults = AffinityRule()
}

/// What is believed of prefix caches, and how far.
struct Affinity: Sendable {
    var table: PrefixTable
    /// By endpoint.
    private var factors: [HitFactor]
    /// By endpoint.
    private var witnesses: [CacheWitness]
    /// What the operator said of all caches counts more than what servers say.
    private let hasOwnRoom: Bool
    /// By endpoint: engines share whole blocks only.
    private let blocks: [Int]
    let isOn: Bool

    init(_ configuration: Scheduler.Configuration) {
        let rule = configuration.affinity
        // A fleet of one has nothing to choose.
        isOn = rule.isOn && configuration.endpoints.count > 1
        table = PrefixTable(
            entries: isOn ? configuration.limits.rememberedPrefixes : 0,
            budgets: configuration.endpoints.map {
                rule.tokensPerEndpoint
                    ?? min(max($0.profile.maxBatch, 1), 1 << 20) * AffinityRule.tokensPerSequence
            }, memory: rule.memory)
        factors = Array(repeating: HitFactor(), count: configuration.endpoints.count)
        witnesses = Array(repeating: CacheWitness(), count: configuration.endpoints.count)
        hasOwnRoom = rule.tokensPerEndpoint != nil
        blocks = configuration.endpoints.map {
            Self.block(configuration.pools[$0.pool.index].engine)
        }
    }

    private static func block(_ engine: EngineKind) -> Int {
        switch engine {
        case .vllm, .sglang: 16
        case .vllmRBLN: 512
        case .llamaServer: 1
        }
    }

    /// Tokens of the prompt that the endpoint holds, as far as the table knows: never the last one,
    /// which is computed in any case.
    func held(
        _ prefix: PromptPrefix, inputTokens: Int, on index: Int, at now: MonotonicTime
    ) -> Int {
        guard prefix.bytes > 0, let match = table.match(prefix, on: index, at: now) else {
            return 0
        }
        let perByte = Double(max(inputTokens, 0)) / Double(prefix.bytes)
        var tokens = Double(prefix[match.mark].bytes) * perByte
        // What follows is taken to be the answer that was given, up to the next mark.
        if match.answered > 0, match.mark + 1 < prefix.count {
            let gap = Double(prefix[match.mark + 1].bytes - prefix[match.mark].bytes) * perByte
            tokens += min(Double(match.answered), gap)
        }
        let whole = min(Int(min(tokens, 1e9)), max(inputTokens - 1, 0))
        return whole - whole % blocks[index]
    }

    /// Expected tokens of some endpoints, each at its index. True if any holds some.
    func recall(
        _ prefix: PromptPrefix, inputTokens: Int, among endpoints: [Int], at now: MonotonicTime,
        into cached: inout [Int]
    ) -> Bool {
        let first = prefix[0]
        var holdsAny = false
        cached.withUnsafeMutableBufferPointer { cached in
            for index in endpoints {
                // Most hold nothing that begins so, and one look tells.
                guard table.mayHold(first, on: index) else {
                    cached[index] = 0
                    continue
                }
                let held = held(prefix, inputTokens: inputTokens, on: index, at: now)
                cached[index] = expected(held, on: index, at: now)
                if held > 0 { holdsAny = true }
            }
        }
        return holdsAny
    }

    /// The same, as far as it was right before.
    func expected(_ held: Int, on index: Int, at now: MonotonicTime) -> Int {
        held == 0 ? 0 : Int(Double(held) * factors[index].value(at: now))
    }

    /// An answer said what was found of its own prompt.
    mutating func observe(believed: Int, said: Int, on index: Int, at now: MonotonicTime) {
        guard !witnesses[index].isHeard else { return }
        factors[index].observe(believed: believed, said: said, at: now)
    }

    /// A request was placed of which so many tokens are believed to be cached.
    mutating func placed(believed: Int, of inputTokens: Int, on index: Int) {
        witnesses[index].placed(believed: believed, of: inputTokens)
    }

    /// The server's page was read.
    mutating func scraped(
        _ report: Scheduler.CacheReport, kvUsage: Double?, on index: Int, at now: MonotonicTime
    ) {
        guard isOn else { return }
        let used = kvUsage ?? 0
        if !hasOwnRoom, let room = report.room, (0...1e12).contains(room), (0...1).contains(used) {
            // What is cached and not in use counts as free with every engine.
            table.setBudget(Int(room * (1 - used)), of: index)
        }
        switch witnesses[index].read(report) {
        case .none: break
        case .restarted: table.forget(index)
        case .found(let finding):
            factors[index].observe(
                believed: finding.believed, said: finding.said, requests: finding.requests,
                at: now)
        }
    }

    func hitFactor(of index: Int, at now: MonotonicTime) -> Double {
        factors[index].value(at: now)
    }
}
