import InferenceTypes

/// One tenant's verdicts for texts that come again, by the digest of the text: the text itself is
/// not kept. Four places for each digest; a verdict that has grown old gives way first, then the
/// oldest. Nothing is allocated per lookup.
public struct VerdictCache: Sendable {
    /// A verdict as it goes into an answer, without what names its stage.
    public struct Verdict: Hashable, Sendable {
        public var members: [UInt8]

        public init(members: [UInt8]) { self.members = members }
    }

    private struct Entry: Sendable {
        var key: SipHash.Digest
        var verdict: Verdict
        var added: MonotonicTime
    }

    private static let ways = 4
    /// Longer verdicts (of models with very many classes) are not kept.
    public static let longestVerdict = 512

    private let lifetime: TimeSpan
    private let mask: UInt64
    private var entries: [Entry?]
    public private(set) var hits = 0
    public private(set) var misses = 0

    /// `capacity` is rounded up to a power of two of sets of four.
    public init(capacity: Int, lifetime: TimeSpan) {
        var sets = 1
        while sets * Self.ways < min(max(capacity, Self.ways), 1 << 20) { sets *= 2 }
        self.lifetime = lifetime
        mask = UInt64(sets - 1)
        entries = Array(repeating: nil, count: sets * Self.ways)
    }

    public var capacity: Int { entries.count }
    public var count: Int { entries.count { $0 != nil } }

    public mutating func verdict(for key: SipHash.Digest, at now: MonotonicTime) -> Verdict? {
        for place in places(of: key) {
            guard let entry = entries[place], entry.key == key else { continue }
            guard now - entry.added < lifetime else {
                entries[place] = nil
                break
            }
            hits += 1
            return entry.verdict
        }
        misses += 1
        return nil
    }

    public mutating func insert(
        _ verdict: Verdict, for key: SipHash.Digest, at now: MonotonicTime
    ) {
        guard verdict.members.count <= Self.longestVerdict else { return }
        var victim = places(of: key).lowerBound
        var oldest = MonotonicTime.distantFuture
        for place in places(of: key) {
            guard let entry = entries[place] else {
                oldest = MonotonicTime(nanoseconds: .min)
                victim = place
                continue
            }
            if entry.key == key {
                victim = place
                break
            }
            if entry.added < oldest {
                oldest = entry.added
                victim = place
            }
        }
        entries[victim] = Entry(key: key, verdict: verdict, added: now)
    }

    public mutating func removeAll() {
        for place in entries.indices { entries[place] = nil }
    }

    private func places(of key: SipHash.Digest) -> Range<Int> {
        let first = Int(key.low & mask) * Self.ways
        return first..<first + Self.ways
    }
}
