import InferenceTypes

/// Messages that travel to a model server together.
public struct Batch: Sendable {
    /// Why a batch was closed when it was.
    public enum Cause: String, CaseIterable, Sendable {
        /// As large as one may be.
        case size
        /// It fills a bucket, and the next one cannot be filled in time.
        case bucketEdge = "bucket_edge"
        /// Its oldest message has waited as long as it may.
        case age
        /// One of its messages has to be answered by a certain time.
        case deadline
        /// At the rate of arrivals waiting would not fill the next bucket.
        case alone
    }

    public struct Item: Hashable, Sendable {
        /// The owner's own name of the message.
        public var token: UInt64
        /// UTF-8 bytes of its text.
        public var bytes: Int
        public var arrival: MonotonicTime
        /// When its owner needs the verdict; `.distantFuture`: no matter when.
        public var deadline: MonotonicTime

        public init(
            token: UInt64, bytes: Int, arrival: MonotonicTime,
            deadline: MonotonicTime = .distantFuture
        ) {
            self.token = token
            self.bytes = bytes
            self.arrival = arrival
            self.deadline = deadline
        }
    }

    public var model: ModelID
    /// Whose messages these are, in the owner's numbers: no batch holds those of two groups.
    public var group: Int
    public var items: [Item]
    public var cause: Cause

    public init(model: ModelID, group: Int, items: [Item], cause: Cause) {
        self.model = model
        self.group = group
        self.items = items
        self.cause = cause
    }
}
