import InferenceTypes
import Synchronization

/// A few sums over all reactors that other threads read: for the live line of the admin surface.
/// One writer per reactor, as with metrics.
final class Totals: Sendable {
    private final class Cells: Sendable {
        let requests = Atomic<Int>(0)
        let errors = Atomic<Int>(0)
        let outputTokens = Atomic<Int>(0)
    }

    private final class PoolCells: Sendable {
        let outputTokens = Atomic<Int>(0)
        let requests = Atomic<Int>(0)
    }

    private let cells: [Cells]
    /// By reactor, then pool.
    private let pools: [[PoolCells]]

    init(pools count: Int, reactors: Int) {
        cells = (0..<reactors).map { _ in Cells() }
        pools = (0..<reactors).map { _ in (0..<count).map { _ in PoolCells() } }
    }

    func answered(isError: Bool, reactor: Int) {
        let cell = cells[reactor]
        cell.requests.store(cell.requests.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        if isError {
            cell.errors.store(cell.errors.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        }
    }

    func finished(pool: PoolID, outputTokens: Int, reactor: Int) {
        let cell = pools[reactor][pool.index]
        cell.requests.store(cell.requests.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        cell.outputTokens.store(
            cell.outputTokens.load(ordering: .relaxed) &+ outputTokens, ordering: .relaxed)
    }

    var requests: Int { sum { $0.requests.load(ordering: .relaxed) } }
    var errors: Int { sum { $0.errors.load(ordering: .relaxed) } }

    func outputTokens(pool: Int) -> Int {
        pools.reduce(0) { $0 &+ $1[pool].outputTokens.load(ordering: .relaxed) }
    }

    func requests(pool: Int) -> Int {
        pools.reduce(0) { $0 &+ $1[pool].requests.load(ordering: .relaxed) }
    }

    private func sum(_ value: (Cells) -> Int) -> Int { cells.reduce(0) { $0 &+ value($1) } }
}
