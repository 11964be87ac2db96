import InferenceTypes

/// How long a request may be kept back for the sake of joules.
public struct Patience: Hashable, Sendable {
    /// Of the promised time to first token, at strictness 0 and 1.
    public var lenientShare = 0.45
    public var strictShare = 0.0
    /// How soon those who wait look again if nothing else happens.
    public var interval = TimeSpan.milliseconds(10)

    public init() {}
    public static let defaults = Patience()
}

/// Waiting by choice: a burst that a busy endpoint can take in half a second does not have to wake
/// an idle one, which would then run a batch of two for as long as they last.
extension Scheduler {
    /// 0 to 1: what the model's governor learned for this tenant, and all of it for an answer that
    /// is expected to be so short that a single burst spoils it.
    @inline(__always)
    func strictness(_ slot: Int) -> Double {
        let learned = governor(of: slot).map { governors[$0].strictness } ?? 1
        let shortness = min(max(2 - Double(requests.records[slot].outputTokens) / 40, 0), 1)
        return max(learned, shortness)
    }

    @inline(__always)
    private func governor(of slot: Int) -> Int? {
        // Field by field: the request is a few hundred bytes.
        let model = requests.records[slot].request.model.index
        guard (0..<configuration.modelCount).contains(model) else { return nil }
        let tenants = configuration.tenants.count
        let tenant = requests.records[slot].request.tenant.index
        let owner = (0..<tenants).contains(tenant) ? tenant : tenants
        return model * (tenants + 1) + owner
    }

    /// True while enough of the promised time to first token is left.
    @inline(__always)
    func mayWait(_ slot: Int, at now: MonotonicTime) -> Bool {
        guard requests.records[slot].mayWait, !isShuttingDown,
            let promise = requests.records[slot].objective.timeToFirstToken,
            // Not so long that its time in the queue runs out meanwhile.
            now + configuration.patience.interval + configuration.patience.interval
                < requests.records[slot].deadline
        else { return false }
        let patience = configuration.patience
        let share =
            patience.lenientShare
            + (patience.strictShare - patience.lenientShare) * strictness(slot)
        return (now - requests.records[slot].arrival).seconds < promise.seconds * share
    }

    mutating func retryLater(at now: MonotonicTime) {
        guard patienceWake == nil else { return }
        let wake = now + configuration.patience.interval
        patienceWake = wake
        deadlines.add(.patience, at: wake)
    }

    /// The first of each model try again, in order of class and share. One that finds no room, or
    /// goes on waiting, does not hold up those behind it.
    mutating func lookAgain(at now: MonotonicTime, into actions: inout [Action]) {
        patienceWake = nil
        let bulk = ServiceClass.bulk.rank
        for rank in queue.depths.indices where queue.depths[rank] > 0 && rank != bulk {
            // Somebody further back may wait by choice, too.
            if tryAgain(rank: rank, at: now, into: &actions) { retryLater(at: now) }
        }
    }

    /// True if not all that wait in the class were looked at.
    mutating func tryAgain(
        rank: Int, at now: MonotonicTime, into actions: inout [Action]
    ) -> Bool {
        var isCut = false
        for model in 0..<configuration.modelCount {
            scratchSlots.removeAll(keepingCapacity: true)
            if queue.appendFirst(rank: rank, model: model, to: &scratchSlots) { isCut = true }
            for position in scratchSlots.indices {
                let slot = scratchSlots[position]
                guard survey(slot, at: now) == .now else { continue }
                _ = serve(slot, at: now, into: &actions)
            }
        }
        return isCut
    }

    /// Tells the governor whether an answer that came to its end kept its pace and began in time.
    /// Nothing is learned from those without a promise or a count of tokens, from whole answers,
    /// whose first byte comes with the last token, and from those that nobody could have served in
    /// time where they were placed.
    mutating func judge(_ slot: Int, _ usage: Usage, at now: MonotonicTime) {
        let objective = requests.records[slot].objective
        guard requests.records[slot].request.streams, requests.records[slot].isAttainable,
            let governor = governor(of: slot), let first = requests.records[slot].firstTokenAt,
            objective != LatencyObjective()
        else { return }
        let tokens =
            (usage.outputTokens ?? requests.records[slot].progress)
            / requests.records[slot].sequences
        guard tokens > 0 else { return }
        let arrival = requests.records[slot].arrival
        governors[governor].observe(
            met: objective.isMet(
                firstToken: first - arrival, end: now - arrival, outputTokens: tokens))
    }
}
