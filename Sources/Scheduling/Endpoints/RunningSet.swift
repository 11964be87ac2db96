import InferenceTypes

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
    private(set) var sequences = 0
    private(set) var decodingSequences = 0
    private(set) var remainingTokens = 0
    /// The tightest gap promised to any of them, and to how many.
    private(set) var tightestObjective: TimeSpan?
    private var tightestCount = 0

    var count: Int { slots.count }

    /// Returns the position by which ``remove(at:)`` finds it again.
    mutating func insert(slot: Int, _ share: Share) -> Int {
        slots.append(slot)
        shares.append(share)
        sequences += share.sequences
        decodingSequences += share.decodes ? share.sequences : 0
        remainingTokens += share.remainingTokens
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
        sequences -= share.sequences
        decodingSequences -= share.decodes ? share.sequences : 0
        remainingTokens -= share.remainingTokens
        forget(share.interTokenObjective)
        return position < slots.count ? slots[position] : nil
    }

    mutating func setRemainingTokens(_ tokens: Int, at position: Int) {
        remainingTokens += tokens - shares[position].remainingTokens
        shares[position].remainingTokens = tokens
    }

    private mutating func note(_ objective: TimeSpan?) {
        guard let objective else { return }
        guard let tightest = tightestObjective, tightest <= objective else {
            tightestObjective = objective
            tightestCount = 1
            return
        }
        if tightest == objective { tightestCount += 1 }
    }

    private mutating func forget(_ objective: TimeSpan?) {
        guard let objective, objective == tightestObjective else { return }
        tightestCount -= 1
        guard tightestCount == 0 else { return }
        tightestObjective = nil
        for share in shares { note(share.interTokenObjective) }
    }

    /// True if the running sums are the sums of the shares.
    var isConsistent: Bool {
        var again = RunningSet()
        for (slot, share) in zip(slots, shares) { _ = again.insert(slot: slot, share) }
        return again.sequences == sequences && again.decodingSequences == decodingSequences
            && again.remainingTokens == remainingTokens
            && again.tightestObjective == tightestObjective
            && again.tightestCount == tightestCount
    }
}
