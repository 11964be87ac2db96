import InferenceTypes

/// Reads a journal from bytes that come in order, block by block. A block that was not written to
/// its end, as when the process died, ends the journal; everything before it stands.
public struct JournalReader {
    /// One event as it was.
    public struct Record: Sendable {
        public var event: Scheduler.Event
        public var kind: JournalEventKind
        public var at: MonotonicTime
        /// Actions that followed, and the digest of all actions so far; `nil` without any.
        public var actions: Int
        public var digest: UInt32?
    }

    /// How it ended.
    public enum Ending: Hashable, Sendable {
        case marked(JournalEnd)
        /// Without an end: what was whole ends at this byte.
        case cut(at: UInt64)
    }

    /// Gives the next so many bytes; fewer only at the end.
    public typealias Source = (_ count: Int) throws -> [UInt8]

    public let head: JournalHead
    /// `nil` until the last record was read.
    public private(set) var ending: Ending?
    /// Records so far.
    public private(set) var events: UInt64 = 0
    /// Bytes of the file that were read.
    public private(set) var offset: UInt64 = 0

    private let source: Source
    private var records = FieldReader([])
    private var last: MonotonicTime

    /// Reads and checks the head.
    ///
    /// Throws ``JournalError`` for what is no journal, one of another version, or one whose head
    /// is damaged or describes an impossible scheduler; and what `source` throws.
    public init(_ source: @escaping Source) throws {
        self.source = source
        var prologue = FieldReader(try source(JournalFormat.prologueBytes))
        guard prologue.left == JournalFormat.prologueBytes,
            try prologue.fixed(bytes: 8) == JournalFormat.magic
        else { throw JournalError(offset: 0, problem: "this is no journal of a gateway") }
        let version = try prologue.fixed(bytes: 8)
        guard version == JournalFormat.version else {
            throw JournalError(
                offset: 8,
                problem: "version \(version) of the format; this program reads "
                    + "\(JournalFormat.version)")
        }
        offset = UInt64(JournalFormat.prologueBytes)
        guard let block = try Self.block(from: source, at: &offset) else {
            throw JournalError(offset: offset, problem: "the journal ends within its head")
        }
        guard block.kind == .head else {
            throw JournalError(offset: offset, problem: "the first block is not the head")
        }
        var reader = block.payload
        head = try reader.read()
        guard reader.isAtEnd else { throw reader.error("more than a head") }
        if let problem = JournalBounds.problem(of: head) {
            throw JournalError(offset: block.payload.start, problem: problem)
        }
        last = head.start
    }

    private struct Block {
        var kind: JournalFormat.BlockKind
        var number: UInt64
        var payload: FieldReader
    }

    /// `nil` at the end of the bytes, `offset` being the last byte that belongs to a whole block.
    private static func block(from source: Source, at offset: inout UInt64) throws -> Block? {
        var head = FieldReader(try source(JournalFormat.blockHeadBytes), at: offset)
        guard head.left == JournalFormat.blockHeadBytes else { return nil }
        let first = try head.fixed(bytes: 8)
        let number = try head.fixed(bytes: 8)
        let checksum = try head.fixed(bytes: 8)
        let length = Int(truncatingIfNeeded: first >> 32)
        guard let kind = JournalFormat.BlockKind(rawValue: UInt8(truncatingIfNeeded: first)),
            length <= JournalFormat.longestBlock
        else { throw JournalError(offset: offset, problem: "no block begins here") }
        let bytes = try source(length)
        guard bytes.count == length else { return nil }
        guard BlockChecksum.of([first, number], bytes) == checksum else {
            throw JournalError(offset: offset, problem: "a block of \(length) bytes is damaged")
        }
        let start = offset + UInt64(JournalFormat.blockHeadBytes)
        offset = start + UInt64(length)
        return Block(kind: kind, number: number, payload: FieldReader(bytes, at: start))
    }

    /// The next event; `nil` after the last one, when ``ending`` says how it ended.
    ///
    /// Throws ``JournalError`` where the bytes are damaged, and what the source throws.
    public mutating func next() throws -> Record? {
        while records.isAtEnd {
            guard ending == nil else { return nil }
            let start = offset
            guard let block = try Self.block(from: source, at: &offset) else {
                ending = .cut(at: start)
                return nil
            }
            guard block.number == events else {
                throw JournalError(
                    offset: start,
                    problem: "a block that begins with event \(block.number) after "
                        + "\(events) events")
            }
            switch block.kind {
            case .head: throw JournalError(offset: start, problem: "a second head")
            case .events: records = block.payload
            case .end:
                var reader = block.payload
                let end = try reader.readChoice(JournalEnd.stopped)
                guard reader.isAtEnd else { throw reader.error("more than an end") }
                ending = .marked(end)
                return nil
            }
        }
        return try record()
    }

    private mutating func record() throws(JournalError) -> Record {
        let first = records.position
        let event = try records.event()
        var step = 0
        try records.integer(&step)
        last = MonotonicTime(nanoseconds: last.nanoseconds &+ Int64(step))
        if let problem = JournalBounds.problem(of: event, after: last - head.start) {
            throw records.error(problem, at: first)
        }
        let count = try records.varint()
        guard count <= UInt64(JournalBounds.largestCount) else {
            throw records.error("\(count) actions after one event")
        }
        let digest = count > 0 ? UInt32(truncatingIfNeeded: try records.fixed(bytes: 4)) : nil
        events += 1
        return Record(
            event: event, kind: JournalEventKind(event), at: last, actions: Int(count),
            digest: digest)
    }
}
