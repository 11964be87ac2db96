import InferenceTypes

@testable import Scheduling

/// A batcher with one model, driven in milliseconds, that counts what becomes of every message.
struct BatcherBench {
    static let model = ModelID(0)
    /// Joules of one pass on the card of `Config/profiles/atom-ca22-bert-assumed.json`.
    static let buckets = [
        (1, 0.02903), (4, 0.06812), (8, 0.1328), (16, 0.2884), (32, 0.6136), (64, 1.28),
    ].map { BatchingRule.Bucket(size: $0.0, cost: $0.1) }

    var batcher: Batcher
    var closed: [Batch] = []
    private var next: UInt64 = 0
    /// Of every message, by its token.
    private var tickets: [Int] = []

    init(
        delay: TimeSpan = .milliseconds(2), places: Int = 1, queue: Int = 16_384,
        preservesOrder: Bool = false
    ) {
        batcher = Batcher(rules: [
            BatchingRule(
                maxBatchSize: 64, buckets: Self.buckets, maxQueueDelay: delay,
                concurrentBatches: places, maxQueueSize: queue,
                preservesOrder: preservesOrder)
        ])
    }

    static func at(_ milliseconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64((milliseconds * 1e6).rounded()))
    }

    /// A message comes, and with it the turn ends. `arrival`: when it came first, if it is back.
    @discardableResult
    mutating func add(
        _ milliseconds: Double, count: Int = 1, group: Int = 0, deadline: Double? = nil,
        arrival: Double? = nil
    ) -> Bool {
        var isTaken = true
        for _ in 0..<count {
            let item = Batch.Item(
                token: next, bytes: 60, arrival: Self.at(arrival ?? milliseconds),
                deadline: deadline.map(Self.at) ?? .distantFuture)
            next += 1
            let ticket = batcher.add(item, model: Self.model, group: group, into: &closed)
            tickets.append(ticket ?? -1)
            isTaken = isTaken && ticket != nil
        }
        turn(milliseconds)
        return isTaken
    }

    /// The owner of a message leaves.
    mutating func leave(_ token: Int, group: Int = 0) -> Bool {
        batcher.forget(tickets[token], model: Self.model, group: group)
    }

    mutating func turn(_ milliseconds: Double) {
        batcher.close(at: Self.at(milliseconds), into: &closed)
    }

    /// Batches closed since this was asked last.
    mutating func takeClosed() -> ArraySlice<Batch> {
        defer { takenCount = closed.count }
        return closed[takenCount...]
    }

    private var takenCount = 0
    private var endedCount = 0

    /// The oldest batch under way ends.
    mutating func ended(after milliseconds: Double) {
        guard endedCount < closed.count else { return }
        let group = closed[endedCount].group
        endedCount += 1
        batcher.ended(
            Self.model, group: group, after: .microseconds(Int64(milliseconds * 1_000)))
    }

    var sizes: [Int] { closed.map(\.items.count) }
    var causes: [Batch.Cause] { closed.map(\.cause) }
    /// When somebody has to look again, in milliseconds.
    var wake: Double? { batcher.nextDeadline().map { Double($0.nanoseconds) / 1e6 } }
}
