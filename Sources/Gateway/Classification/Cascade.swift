import Classification
import InferenceAPI
import InferenceTypes

/// What may give a verdict on one reactor before an accelerator does, cheapest first: the
/// allow-list, the cache of verdicts, the linear scorer. Texts pass through and are not kept.
final class Cascade {
    enum Finding {
        /// No stage is sure: the accelerator decides, and its verdict is kept under the key.
        case open(SipHash.Digest?)
        case allowed
        case cached(VerdictCache.Verdict)
        /// The calibrated probability of the positive label.
        case scored(Double)
    }

    let line: ClassifierLine
    private let salt: SipHash.Key
    private let tally: ClassificationTally
    /// By ``TenantID`` + 1, made when a tenant's first text comes.
    private var caches: [VerdictCache?]
    private(set) var rules: CascadeRules
    private var identity = MessageIdentity()
    private var features = TextFeatures()
    private var text: [UInt8] = []
    private var key: [UInt8] = []

    init(
        _ line: ClassifierLine, tenants: Int, salt: SipHash.Key, rules: CascadeRules,
        tally: ClassificationTally
    ) {
        self.line = line
        self.salt = salt
        self.rules = rules
        self.tally = tally
        caches = Array(repeating: nil, count: tenants + 1)
    }

    /// True if a look at a text may be worth it.
    var isActive: Bool {
        line.settings.cache.entries > 0 || rules.scorer != nil || !rules.allowed.isEmpty
    }

    func update(_ rules: CascadeRules) {
        if rules.purges != self.rules.purges {
            for place in caches.indices { caches[place]?.removeAll() }
        }
        self.rules = rules
    }

    /// Looks at one text, given as JSON has it between the quotes.
    func judge(
        _ bytes: UnsafeRawBufferPointer, of tenant: TenantID, at now: MonotonicTime
    ) -> Finding {
        // Escapes make a text shorter, six bytes one at most.
        guard bytes.count <= 6 * TextNormaliser.mostBytes else { return .open(nil) }
        JSONText.unescape(bytes, into: &text)
        guard text.withUnsafeBytes({ identity.read($0) }) else { return .open(nil) }
        if !rules.allowed.isEmpty, rules.allowed.contains(rules.digest(of: identity.bytes, salt)) {
            tally.add(.allowed)
            return .allowed
        }
        var key: SipHash.Digest?
        if line.settings.cache.entries > 0 {
            let digest = digest(of: tenant)
            key = digest
            if let verdict = cached(digest, tenant, at: now) {
                tally.add(.cacheHits)
                return .cached(verdict)
            }
            tally.add(.cacheMisses)
        }
        if let scorer = rules.scorer, let probability = score(scorer) {
            tally.add(.scored)
            return .scored(probability)
        }
        return .open(key)
    }

    /// The scorer's opinion if it is sure.
    private func score(_ scorer: LinearScorer) -> Double? {
        identity.normal.withUnsafeBytes { features.extract($0) }
        let probability = scorer.probability(features)
        let band = rules.band(probability)
        if let candidate = rules.candidate {
            let other = rules.band(candidate.probability(features))
            tally.add(other == band ? .shadowAgrees : .shadowDiffers)
        }
        return band == .uncertain ? nil : probability
    }

    /// Of the message's identity, the tenant and the model: nobody finds another's verdict, not
    /// even by the same text.
    private func digest(of tenant: TenantID) -> SipHash.Digest {
        key.removeAll(keepingCapacity: true)
        key.append(contentsOf: identity.bytes)
        for number in [tenant.index, line.model.index] {
            let word = UInt32(truncatingIfNeeded: number)
            for shift: UInt32 in [0, 8, 16, 24] {
                key.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        return key.withUnsafeBytes { SipHash.digest($0, key: salt) }
    }

    private func cached(
        _ key: SipHash.Digest, _ tenant: TenantID, at now: MonotonicTime
    ) -> VerdictCache.Verdict? {
        let place = tenant.index + 1
        guard caches.indices.contains(place) else { return nil }
        return caches[place]?.verdict(for: key, at: now)
    }

    /// Keeps an accelerator's verdict.
    func keep(
        _ verdict: VerdictCache.Verdict, for key: SipHash.Digest, of tenant: TenantID,
        at now: MonotonicTime
    ) {
        let place = tenant.index + 1
        guard caches.indices.contains(place) else { return }
        if caches[place] == nil {
            caches[place] = VerdictCache(
                capacity: line.settings.cache.entries, lifetime: line.settings.cache.lifetime)
        }
        caches[place]?.insert(verdict, for: key, at: now)
    }
}

/// What the cascade of one model goes by: set at start, changed by the admin page.
struct CascadeRules: Sendable {
    enum Band: Sendable {
        case negative, uncertain, positive
    }

    var scorer: LinearScorer?
    /// Scores beside it without effect.
    var candidate: LinearScorer?
    /// What a rollback returns to.
    var previous: LinearScorer?
    var negativeBelow = 0.0
    var positiveAbove = 1.01
    /// Digests of identities that always get the other label than the positive one.
    var allowed: Set<SipHash.Digest> = []
    /// How often the caches were emptied by hand.
    var purges = 0
    /// What ends a verdict of the scorer below the band and above it.
    private(set) var negativeSignature: [UInt8] = []
    private(set) var positiveSignature: [UInt8] = []

    func band(_ probability: Double) -> Band {
        if probability < negativeBelow { return .negative }
        return probability >= positiveAbove ? .positive : .uncertain
    }

    func digest(of identity: [UInt8], _ salt: SipHash.Key) -> SipHash.Digest {
        identity.withUnsafeBytes { SipHash.digest($0, key: salt) }
    }

    /// Has verdicts name the scorer that is in use.
    mutating func sign(for model: String) {
        guard let scorer else { return }
        negativeSignature = ClassifierLine.signature(
            model: model, version: scorer.version, threshold: negativeBelow, stage: "linear")
        positiveSignature = ClassifierLine.signature(
            model: model, version: scorer.version, threshold: positiveAbove, stage: "linear")
    }
}
