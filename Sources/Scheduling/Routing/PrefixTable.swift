import InferenceTypes

/// Which endpoint is believed to hold which beginnings of prompts in its cache.
///
/// A table of fixed size in sets of four, as a processor's cache: no entry is ever moved, the one
/// of a set that was used longest ago gives way. An entry holds until it is too old or until its
/// endpoint has computed so many other tokens since that its own cache must have dropped it: each
/// bears the endpoint's count of computed tokens at its last use, and to forget an endpoint
/// altogether is to move one number.
///
/// Decisions hang on hashes being equal, never on their order; which entries meet in a set hangs on
/// them, which costs knowledge at most.
struct PrefixTable: Sendable {
    private struct Entry {
        /// The endpoint's clock at the last use.
        var clock: Int64 = 0
        var usedAt = MonotonicTime(nanoseconds: .min)
        /// Tokens that the endpoint answered this very prompt with.
        var answered: UInt32 = 0
    }

    /// What is held of a prompt.
    struct Match: Hashable, Sendable {
        /// Position of the longest mark that is held.
        var mark: Int
        var answered: Int
    }

    private static let ways = 4

    /// By entry, of mark and endpoint together; 0: vacant. Apart from the rest, so that the four of
    /// a set lie side by side: most look-ups see no more than these.
    private var tags: [UInt64]
    private var entries: [Entry]
    private let setMask: UInt64
    /// By endpoint: tokens computed so far.
    private var clocks: [Int64]
    /// By endpoint: what was used before this reading of the clock is gone.
    private var forgotten: [Int64]
    /// By endpoint.
    private var budgets: [Int64]
    private let memory: TimeSpan

    /// - Parameters:
    ///   - entries: most entries; rounded down to a power of two, at least four.
    ///   - budgets: by endpoint, tokens that it computes until what it has not used since is gone.
    ///   - memory: how long an entry holds without being used.
    init(entries: Int, budgets: [Int], memory: TimeSpan) {
        let most = min(max(entries, Self.ways), 1 << 26)
        let count = 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount)
        self.entries = Array(repeating: Entry(), count: count)
        tags = Array(repeating: 0, count: count)
        setMask = UInt64(count / Self.ways - 1)
        clocks = Array(repeating: 1, count: budgets.count)
        forgotten = Array(repeating: 0, count: budgets.count)
        self.budgets = budgets.map { Int64(max($0, 0)) }
        self.memory = memory
    }

    /// Room for entries.
    var capacity: Int { entries.count }

    /// Those in use, valid or not.
    var count: Int { tags.count { $0 != 0 } }

    /// The longest mark that the endpoint holds. Marks are held from the first to some last one, so
    /// that this takes four look-ups; holes that an eviction left make it find less.
    func match(_ prefix: PromptPrefix, on endpoint: Int, at now: MonotonicTime) -> Match? {
        var found: Match?
        var low = 0
        var high = prefix.count
        while low < high {
            let middle = found == nil && low == 0 && high == prefix.count ? 0 : (low + high) / 2
            let tag = Self.tag(prefix[middle].hash, endpoint)
            if let place = place(of: tag), holds(entries[place], endpoint, at: now) {
                found = Match(mark: middle, answered: Int(entries[place].answered))
                low = middle + 1
            } else {
                high = middle
            }
        }
        return found
    }

    /// The endpoint computes the prompt: all of it but `tokens`, which it has.
    mutating func use(
        _ prefix: PromptPrefix, on endpoint: Int, computing tokens: Int, at now: MonotonicTime
    ) {
        guard clocks.indices.contains(endpoint) else { return }
        advance(endpoint, by: tokens)
        for mark in 0..<prefix.count {
            write(Self.tag(prefix[mark].hash, endpoint), endpoint, at: now)
        }
    }

    /// The endpoint answered the prompt with so many tokens, which follow it in the cache.
    mutating func answered(_ prefix: PromptPrefix, on endpoint: Int, tokens: Int) {
        guard clocks.indices.contains(endpoint) else { return }
        advance(endpoint, by: tokens)
        guard !prefix.isEmpty else { return }
        let tag = Self.tag(prefix[prefix.count - 1].hash, endpoint)
        if let place = place(of: tag) { entries[place].answered = UInt32(clamping: tokens) }
    }

    /// The endpoint keeps what it has not used for so many computed tokens; 0: nothing at all.
    mutating func setBudget(_ tokens: Int, of endpoint: Int) {
        guard budgets.indices.contains(endpoint) else { return }
        budgets[endpoint] = tokens > 0 ? Int64(tokens) : -1
    }

    /// The endpoint's cache is gone.
    mutating func forget(_ endpoint: Int) {
        guard clocks.indices.contains(endpoint) else { return }
        clocks[endpoint] += 1
        forgotten[endpoint] = clocks[endpoint]
    }

    private mutating func advance(_ endpoint: Int, by tokens: Int) {
        clocks[endpoint] += Int64(min(max(tokens, 0), 1 << 32))
    }

    private func holds(_ entry: Entry, _ endpoint: Int, at now: MonotonicTime) -> Bool {
        guard clocks.indices.contains(endpoint) else { return false }
        return entry.clock >= forgotten[endpoint]
            && clocks[endpoint] - entry.clock <= budgets[endpoint]
            && now - entry.usedAt <= memory
    }

    /// False: the endpoint holds nothing of a prompt that begins so.
    @inline(__always)
    func mayHold(_ first: PromptPrefix.Mark, on endpoint: Int) -> Bool {
        place(of: Self.tag(first.hash, endpoint)) != nil
    }

    @inline(__always)
    private static func tag(_ hash: UInt64, _ endpoint: Int) -> UInt64 {
        let own = (UInt64(truncatingIfNeeded: endpoint) &+ 1) &* 0x9E37_79B9_7F4A_7C15
        return max((hash ^ own).folded(with: 0xA076_1D64_78BD_642F | 1), 1)
    }

    @inline(__always)
    private func first(of tag: UInt64) -> Int { Int(tag >> 7 & setMask) * Self.ways }

    @inline(__always)
    private func place(of tag: UInt64) -> Int? {
        let first = first(of: tag)
        // All four without a branch between them: mostly there is none.
        let hits =
            (tags[first] == tag ? 1 : 0) | (tags[first + 1] == tag ? 2 : 0)
            | (tags[first + 2] == tag ? 4 : 0) | (tags[first + 3] == tag ? 8 : 0)
        return hits == 0 ? nil : first + hits.trailingZeroBitCount
    }

    private mutating func write(_ tag: UInt64, _ endpoint: Int, at now: MonotonicTime) {
        let first = first(of: tag)
        var victim = first
        for place in first..<first + Self.ways {
            if tags[place] == tag {
                if !holds(entries[place], endpoint, at: now) { entries[place].answered = 0 }
                entries[place].clock = clocks[endpoint]
                entries[place].usedAt = now
                return
            }
            if entries[place].usedAt < entries[victim].usedAt { victim = place }
        }
        tags[victim] = tag
        entries[victim] = Entry(clock: clocks[endpoint], usedAt: now)
    }
}
