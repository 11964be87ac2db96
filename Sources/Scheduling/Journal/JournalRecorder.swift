import InferenceTypes

/// Takes down what a scheduler is told and what it does, block by block. It stands beside the
/// scheduler under the same lock and does as little there as can be: fields into reserved memory
/// and a digest, no system call and no allocation. Checksums and files are the writer's.
public struct JournalRecorder: Sendable {
    /// A run of records, not yet a block of the file.
    public struct Batch: Sendable {
        /// Events before it.
        public var number: UInt64
        public var events: UInt64
        public var records: [UInt8]

        /// As it stands in the file. Costs time; not for the lock.
        public func block() -> [UInt8] { JournalFormat.block(.events, number: number, records) }
    }

    private var writer = FieldWriter()
    private var digest = ActionDigest()
    private var last: MonotonicTime
    private var number: UInt64 = 0
    /// Events so far.
    public private(set) var events: UInt64 = 0

    /// `start`: as in the ``JournalHead``.
    public init(at start: MonotonicTime, into buffer: [UInt8] = JournalRecorder.buffer()) {
        last = start
        writer.bytes = buffer
    }

    /// Room for a batch.
    public static func buffer() -> [UInt8] {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(JournalFormat.usualBlock + JournalFormat.blockSlack)
        return buffer
    }

    /// True if the batch is to be taken now.
    public var isFull: Bool { writer.bytes.count >= JournalFormat.usualBlock }
    public var isEmpty: Bool { events == number }

    /// `actions` from `first` on: what the scheduler made of the event.
    public mutating func record(
        _ event: Scheduler.Event, at now: MonotonicTime, _ actions: [Scheduler.Action],
        from first: Int = 0
    ) {
        var step = Int(now.nanoseconds &- last.nanoseconds)
        last = now
        // The kind stands first, so that a reader knows at once what it reads.
        writer.event(event)
        writer.integer(&step)
        events &+= 1
        writer.varint(UInt64(actions.count - first))
        guard first < actions.count else { return }
        for index in first..<actions.count { actions[index].digest(into: &digest) }
        writer.fixed(UInt64(digest.short), bytes: 4)
    }

    /// Hands out what was recorded and goes on into `buffer`, which has to be empty and nobody
    /// else's: otherwise it is copied.
    public mutating func take(into buffer: consuming [UInt8]) -> Batch {
        let batch = Batch(number: number, events: events - number, records: writer.bytes)
        writer.bytes = buffer
        number = events
        return batch
    }
}
