import InferenceTypes

/// When a batch of one model closes. The words are Triton's.
public struct BatchingRule: Hashable, Sendable {
    /// A size at which a pass is filled, and what the pass costs.
    public struct Bucket: Hashable, Sendable {
        public var size: Int
        /// Energy of one pass of this size in any unit; all alike: never worth splitting.
        public var cost: Double

        public init(size: Int, cost: Double = 1) {
            self.size = size
            self.cost = cost
        }
    }

    public let maxBatchSize: Int
    /// Ascending; the last one is `maxBatchSize`.
    public let buckets: [Bucket]
    public let maxQueueDelay: TimeSpan
    /// Batches that may be under way before only full ones close: one for each place where one can
    /// compute.
    public let concurrentBatches: Int
    /// Messages that may wait at once.
    public let maxQueueSize: Int
    public let preservesOrder: Bool

    /// `buckets` in any order; sizes outside of 1 to `maxBatchSize` are left out.
    public init(
        maxBatchSize: Int, buckets: [Bucket] = [], maxQueueDelay: TimeSpan,
        concurrentBatches: Int = 1, maxQueueSize: Int = 16_384,
        preservesOrder: Bool = false
    ) {
        let most = max(maxBatchSize, 1)
        var sorted = buckets.filter { 1...most ~= $0.size }.sorted { $0.size < $1.size }
        if sorted.last?.size != most {
            sorted.append(Bucket(size: most, cost: sorted.last?.cost ?? 1))
        }
        self.maxBatchSize = most
        self.buckets = sorted
        self.maxQueueDelay = max(maxQueueDelay, .zero)
        self.concurrentBatches = max(concurrentBatches, 1)
        self.maxQueueSize = max(maxQueueSize, 1)
        self.preservesOrder = preservesOrder
    }

    /// The largest bucket that so many messages fill; `nil` if they fill none.
    func filled(by count: Int) -> Bucket? { buckets.last { $0.size <= count } }

    /// The smallest bucket that holds so many.
    func holding(_ count: Int) -> Bucket {
        buckets.first { $0.size >= count } ?? buckets[buckets.count - 1]
    }

    /// How many of `count` messages, no more than one batch holds, go into the next batch: all of
    /// them, or as many as fill the bucket below if that bucket and the one for the rest together
    /// cost at least a tenth less. Worked, with 0.029, 0.068, 0.133, 0.288, 0.614 and 1.28 J for
    /// buckets of 1, 4, 8, 16, 32 and 64: of 40 go 32 (0.747 J for both, not 1.28), of 63 all
    /// (1.228 J for two of 32 is no tenth less), of 9 go 8, of 3 all.
    func share(of count: Int) -> Int {
        let whole = holding(count)
        guard count < whole.size, let lower = filled(by: count), lower.size < count else {
            return count
        }
        let split = lower.cost + holding(count - lower.size).cost
        return split < 0.9 * whole.cost ? lower.size : count
    }
}
