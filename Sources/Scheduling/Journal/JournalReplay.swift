import InferenceTypes

/// The same scheduler once more, told what the journal says and held to what it then did.
public struct JournalReplay: ~Copyable {
    /// Where the two part.
    public struct Divergence: Hashable, Sendable {
        /// The event's number, from 1.
        public var event: UInt64
        /// Since the journal began.
        public var after: TimeSpan
        public var kind: JournalEventKind
        public var expectedActions: Int
        public var expectedDigest: UInt32?
        public var actualActions: Int
        public var actualDigest: UInt32?
    }

    public enum Step: Sendable {
        case same(JournalReader.Record)
        case differs(JournalReader.Record, Divergence)
    }

    public private(set) var reader: JournalReader
    public private(set) var scheduler: Scheduler
    /// Of the last event.
    public private(set) var actions: [Scheduler.Action] = []
    private var digest = ActionDigest()

    public init(_ reader: JournalReader) {
        self.reader = reader
        scheduler = reader.head.scheduler()
    }

    /// Takes the next event; `nil` after the last one. Behind a divergence all is different: go on
    /// only to see.
    ///
    /// Throws ``JournalError`` where the journal is damaged or says what no gateway would.
    public mutating func next() throws -> Step? {
        guard let record = try reader.next() else { return nil }
        if case .arrived(let request) = record.event, scheduler.holds(request.id) {
            throw JournalError(
                offset: reader.offset,
                problem: "event \(reader.events) is the arrival of a request that is here")
        }
        actions.removeAll(keepingCapacity: true)
        scheduler.handle(record.event, at: record.at, into: &actions)
        for action in actions { action.digest(into: &digest) }
        let actual = actions.isEmpty ? nil : digest.short
        guard actions.count == record.actions, actual == record.digest else {
            return .differs(
                record,
                Divergence(
                    event: reader.events, after: record.at - reader.head.start,
                    kind: record.kind, expectedActions: record.actions,
                    expectedDigest: record.digest, actualActions: actions.count,
                    actualDigest: actual))
        }
        return .same(record)
    }
}

extension Scheduler {
    /// True if the request was admitted and has not ended.
    func holds(_ id: RequestID) -> Bool { requests.slot(of: id) != nil }
}
