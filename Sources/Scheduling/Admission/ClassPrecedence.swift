import InferenceTypes

/// Which service class is served next: the most urgent one that waits, unless another one was
/// passed over `bound` times in a row. So under steady pressure from above each class that
/// waits still gets at least one in `bound + 3` places (three others may be overdue at once).
struct ClassPrecedence: Hashable, Sendable {
    private var passedOver = Array(repeating: 0, count: ServiceClass.allCases.count)
    private let bound: Int

    init(bound: Int) { self.bound = max(bound, 1) }

    /// The most urgent of the ranks that must not be passed over again.
    var overdue: Int? { passedOver.firstIndex { $0 >= bound } }

    /// A request of class `rank` was taken; `waiting` is the depth of each class before that.
    mutating func served(rank: Int, waiting: [Int]) {
        for other in passedOver.indices where other != rank {
            passedOver[other] = waiting[other] > 0 ? passedOver[other] + 1 : 0
        }
        passedOver[rank] = 0
    }
}
