import InferenceTypes

/// A batch on which a model server erred, and all that it was cut into: how far the search for the
/// message to blame may go.
final class BatchFamily {
    /// So many errors without one part that got its verdicts: no message is to blame then, the
    /// model server is.
    static let mostErrorsInARow = 6

    private let end: MonotonicTime
    private var left: Int
    private(set) var errorsInARow = 0

    /// `since`: when the first batch was closed.
    init(_ limits: Limits, since: MonotonicTime) {
        end = since + limits.retryWindow
        left = limits.batchRetries
    }

    /// True if a part may be cut in two once more.
    func maySplit(at now: MonotonicTime) -> Bool { left >= 2 && now < end && !isServersFault }

    var isServersFault: Bool { errorsInARow >= Self.mostErrorsInARow }

    func sent(_ parts: Int) { left -= parts }

    func erred() { errorsInARow += 1 }

    func answered() { errorsInARow = 0 }
}
