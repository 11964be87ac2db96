import InferenceTypes

/// What our own requests on one endpoint add up to: all that a decision reads of them. It holds
/// no reference, so that looking at many endpoints costs no counting of references.
struct RunningTotals: Hashable, Sendable {
    var count = 0
    var sequences = 0
    var decodingSequences = 0
    var remainingTokens = 0
    /// The tightest gap promised to any of them, and to how many.
    var tightestObjective: TimeSpan?
    var tightestCount = 0
}

/// Our own requests on one endpoint, counted from dispatch.
struct RunningSet: Hashable, Sendable {
    /// What one request counts for while it is there.
    struct Share: Hashable, Sendable {
        var sequences: Int
        /// True if its sequences decode, false for embeddings and classifications.
        var decodes: Bool
        /// Output tokens expected still to come, over all its sequences.
        var remainingTokens: Int
        /// The token gap promised to it.
        var interTokenObjective: TimeSpan?
    }

    /// Slots of the request table, in no order that matters to a decision.
    private(set) var slots: [Int] = []
    private var shares: [Share] = []
    private(set) var totals = RunningTotals()

    /// Returns the position by which ``remove(at:)`` finds it again.
    mutating func insert(slot: Int, _ share: Share) -> Int {
        slots.append(slot)
        shares.append(share)
        totals.count += 1
        totals.sequences += share.sequences
        totals.decodingSequences += share.decodes ? share.sequences : 0
        totals.remainingTokens += share.remainingTokens
        note(share.interTokenObjective)
        return slots.count - 1
    }

    /// Returns the slot that now has this position, if any.
    mutating func remove(at position: Int) -> Int? {
        let share = shares[position]
        slots.swapAt(position, slots.count - 1)
        shares.swapAt(position, shares.count - 1)
        slots.removeLast()
        shares.removeLast()
        totals.count -= 1
        totals.sequences -= share.sequences
        totals.decodingSequences -= share.decodes ? share.sequences : 0
        totals.remainingTokens -= share.remainingTokens
        forget(share.interTokenObjective)
        return position < slots.count ? slots[position] : nil
    }

    mutating func setRemainingTokens(_ tokens: Int, at position: Int) {
        totals.remainingTokens += tokens - shares[position].remainingTokens
        shares[position].remainingTokens = tokens
    }

    private mutating func note(_ objective: TimeSpan?) {
        guard let objective else { return }
        guard let tightest = totals.tightestObjective, tightest <= objective else {
            totals.tightestObjective = objective
            totals.tightestCount = 1
            return
        }
        if tightest == objective { totals.tightestCount += 1 }
    }

    private mutating func forget(_ objective: TimeSpan?) {
        guard let objective, objective == totals.tightestObjective else { return }
        totals.tightestCount -= 1
        guard totals.tightestCount == 0 else { return }
        totals.tightestObjective = nil
        for share in shares { note(share.interTokenObjective) }
    }

    /// True if the totals are those of the shares.
    var isConsistent: Bool {
        var again = RunningSet()
        for (slot, share) in zip(slots, shares) { _ = again.insert(slot: slot, share) }
        return again.totals == totals
    }
}
