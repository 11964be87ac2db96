import Scheduling
import Synchronization

/// What one reactor's classification has done. Written by its reactor, read by the admin page.
final class ClassificationTally: Sendable {
    enum Count: Int, CaseIterable {
        case messages, batches
        /// Messages that left in batches.
        case batched
        /// Batches that a model server refused and that were cut in two.
        case splits, accelerator
        /// Messages with the verdict of one like them that was on its way.
        case shared
        /// Such messages looked at when others of them had left.
        case swept
        case undecided, refused, allowed, cacheHits, cacheMisses, scored, shadowAgrees,
            shadowDiffers
    }

    private final class Cell: Sendable {
        let value = Atomic<Int>(0)
    }

    private let cells: [Cell] = Count.allCases.map { _ in Cell() }
    /// Batches by why they were closed.
    private let causes: [Cell] = Batch.Cause.allCases.map { _ in Cell() }

    @inline(__always)
    func add(_ count: Count, _ amount: Int = 1) { Self.add(cells[count.rawValue], amount) }

    func closed(_ batch: Batch) {
        add(.batches)
        add(.batched, batch.items.count)
        if let place = Batch.Cause.allCases.firstIndex(of: batch.cause) {
            Self.add(causes[place], 1)
        }
    }

    private static func add(_ cell: Cell, _ amount: Int) {
        let value = cell.value.load(ordering: .relaxed)
        cell.value.store(value &+ amount, ordering: .relaxed)
    }

    subscript(count: Count) -> Int { cells[count.rawValue].value.load(ordering: .relaxed) }

    subscript(cause: Batch.Cause) -> Int {
        let place = Batch.Cause.allCases.firstIndex(of: cause) ?? 0
        return causes[place].value.load(ordering: .relaxed)
    }
}
