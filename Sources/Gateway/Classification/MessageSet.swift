import Classification
import EnergyModel
import InferenceAPI
import InferenceTypes

/// The messages of one classification request, and what is known of each. Kept by its exchange and
/// used again by the next request there.
struct MessageSet {
    enum Surface {
        case classify, decisions
    }

    /// Where a message stands among those that are the same.
    enum Role {
        case alone, leads, follows
    }

    /// What became of one message.
    enum Outcome {
        case open
        /// The verdict's members lie in `fragments`.
        case decided(Range<Int>)
        /// No verdict: the time was up, or no model server gave one.
        case undecided
        /// It is no Unicode.
        case unreadable
        /// The model server refuses this message, with this status.
        case refused(status: Int)
    }

    var surface = Surface.classify
    var texts = MessageTexts()
    var questions = DecisionQuestions()
    private(set) var outcomes: [Outcome] = []
    /// Bytes of JSON: the verdicts' members, without index and braces.
    private(set) var fragments: [UInt8] = []
    private(set) var openCount = 0
    private(set) var decidedCount = 0
    var inputTokens = 0
    /// The batcher's tickets of the messages; -1: it never had it.
    var tickets: [Int] = []
    var roles: [Role] = []
    /// What each message has cost; empty if nobody asked.
    private(set) var shares: [RequestEnergy?] = []
    /// Under which each verdict is kept; empty: none is.
    var keys: [SipHash.Digest?] = []
    var deadline = MonotonicTime.distantFuture
    /// Why messages are undecided, if any are: the last reason.
    var reason: APIError?
    /// What a model server said of a message that it refused.
    var refusal: [UInt8] = []

    mutating func begin() {
        outcomes.removeAll(keepingCapacity: true)
        tickets.removeAll(keepingCapacity: true)
        roles.removeAll(keepingCapacity: true)
        shares.removeAll(keepingCapacity: true)
        for _ in 0..<texts.count {
            outcomes.append(.open)
            tickets.append(-1)
            roles.append(.alone)
        }
        openCount = texts.count
        decidedCount = 0
        fragments.removeAll(keepingCapacity: true)
        inputTokens = 0
        keys.removeAll(keepingCapacity: true)
        deadline = .distantFuture
        reason = nil
        refusal = []
    }

    mutating func removeAll() {
        texts.removeAll()
        questions = DecisionQuestions()
        outcomes.removeAll(keepingCapacity: outcomes.capacity <= 1_024)
        keys.removeAll(keepingCapacity: keys.capacity <= 1_024)
        tickets.removeAll(keepingCapacity: tickets.capacity <= 1_024)
        roles.removeAll(keepingCapacity: roles.capacity <= 1_024)
        shares = []
        openCount = 0
        refusal = []
        reason = nil
        if fragments.capacity > 64 << 10 { fragments = [] }
    }

    func isOpen(_ index: Int) -> Bool {
        guard outcomes.indices.contains(index), case .open = outcomes[index] else { return false }
        return true
    }

    /// Notes a verdict whose members `write` appends. False if the message had one already.
    mutating func decide(_ index: Int, _ write: (inout [UInt8]) -> Void) {
        guard isOpen(index) else { return }
        let start = fragments.count
        write(&fragments)
        outcomes[index] = .decided(start..<fragments.count)
        openCount -= 1
        decidedCount += 1
    }

    mutating func reportEnergy() { shares = Array(repeating: nil, count: outcomes.count) }

    /// Notes what a message has cost, if somebody wants to know.
    mutating func charge(_ index: Int, _ energy: RequestEnergy?) {
        if shares.indices.contains(index) { shares[index] = energy }
    }

    /// What all of them have cost. Messages without a verdict have no figure: nobody knows what
    /// became of them. `nil` if nobody asked, or a verdict's cost is unknown.
    var energy: RequestEnergy? {
        guard !shares.isEmpty else { return nil }
        var sum = RequestEnergy.nothing
        for (outcome, share) in zip(outcomes, shares) {
            guard case .decided = outcome else { continue }
            guard let share else { return nil }
            sum = sum + share
        }
        return sum
    }

    mutating func fail(_ index: Int, _ outcome: Outcome) {
        guard isOpen(index) else { return }
        outcomes[index] = outcome
        openCount -= 1
    }

    /// What is still open stays undecided.
    mutating func giveUp() {
        for index in outcomes.indices { fail(index, .undecided) }
    }
}
