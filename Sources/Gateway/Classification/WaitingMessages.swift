import Synchronization

/// How many messages of one model wait in the gateway, on all reactors together: for company, for
/// an endpoint, for another attempt or for the verdict of a message like them. What a model server
/// computes waits no longer.
final class WaitingMessages: Sendable {
    /// As many may wait.
    let most: Int
    private let number = Atomic<Int>(0)

    init(most: Int) { self.most = most }

    var count: Int { number.load(ordering: .relaxed) }

    /// Takes in so many new ones, all or none. False if there is no room for them.
    func enter(_ count: Int) -> Bool {
        // Nobody needs no room, even where those that are back have filled more than there is.
        guard count > 0 else { return true }
        var known = self.count
        // Nothing is added before there is room for it: others would see a queue that is full.
        while count <= most - known {
            let (isIn, seen) = number.weakCompareExchange(
                expected: known, desired: known + count, ordering: .relaxed)
            if isIn { return true }
            known = seen
        }
        return false
    }

    /// So many that had left are back: nobody turns them away any more.
    func comeBack(_ count: Int) { number.wrappingAdd(count, ordering: .relaxed) }

    func leave(_ count: Int) { number.wrappingSubtract(count, ordering: .relaxed) }
}
