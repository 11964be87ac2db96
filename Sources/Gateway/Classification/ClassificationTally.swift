import Scheduling

/// What one reactor's classification has done, for the admin page.
final class ClassificationTally {
    var messages = 0
    var batches = 0
    /// Messages that left in batches.
    var batched = 0
    var splits = 0
    var undecided = 0
    var refused = 0
    /// Batches by why they were closed, in the order of ``Batch/Cause``.
    var causes = [Int](repeating: 0, count: Batch.Cause.allCases.count)

    func received(_ count: Int) { messages += count }

    func closed(_ batch: Batch) {
        batches += 1
        batched += batch.items.count
        if let place = Batch.Cause.allCases.firstIndex(of: batch.cause) { causes[place] += 1 }
    }
}
