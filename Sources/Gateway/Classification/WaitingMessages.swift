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
        let sum = number.wrappingAdd(count, ordering: .relaxed).newValue
        if sum <= most { return true }
        leave(count)
        return false
    }

    /// So many that had left are back: nobody turns them away any more.
    func comeBack(_ count: Int) { number.wrappingAdd(count, ordering: .relaxed) }

    func leave(_ count: Int) { number.wrappingSubtract(count, ordering: .relaxed) }
}
