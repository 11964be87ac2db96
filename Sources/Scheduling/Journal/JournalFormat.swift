import InferenceTypes

/// A journal of everything that a scheduler was told, and a digest of everything it then did.
///
///     file    = magic version block(head) block(events)* block(end)?
///     magic   = "JGJRNL" and two zeros;  version: four bytes, four zeros
///     block   = kind:1 zeros:3 length:4 number:8 checksum:8 payload
///     head    = gateway's version, seed, start, wall clock, names, configuration
///     events  = record*
///     record  = kind:1 fields time count [digest:4]
///     end     = reason:1
///
/// `number`: events before the block. The checksum is of the other fields and the payload. `time`:
/// nanoseconds since the record before, `count`: actions; their digest runs over all actions so
/// far, and is left out where there was none. Numbers: ``FieldWriter``.
public enum JournalFormat {
    static let magic: UInt64 = 0x0000_4C4E_524A_474A
    /// Another layout gets another number; a reader knows one.
    public static let version: UInt64 = 2
    static let prologueBytes = 16
    package static let blockHeadBytes = 24
    /// Bytes after which the recorder closes a block.
    public static let usualBlock = 64 << 10
    /// Room for the last event of a block.
    static let blockSlack = 8 << 10
    /// No block is longer: a head with its profiles, or one event about tens of thousands of
    /// requests.
    static let longestBlock = 16 << 20
    /// The end of a journal, in bytes.
    public static let endBytes = blockHeadBytes + 1

    package enum BlockKind: UInt8, CaseIterable {
        case head = 1
        case events, end
    }

    /// What every file begins with.
    public static var prologue: [UInt8] {
        var writer = FieldWriter()
        writer.fixed(magic, bytes: 8)
        writer.fixed(version, bytes: 8)
        return writer.bytes
    }

    package static func block(_ kind: BlockKind, number: UInt64, _ payload: [UInt8]) -> [UInt8] {
        var writer = FieldWriter()
        writer.bytes.reserveCapacity(blockHeadBytes + payload.count)
        let first = UInt64(kind.rawValue) | UInt64(payload.count) << 32
        writer.fixed(first, bytes: 8)
        writer.fixed(number, bytes: 8)
        writer.fixed(BlockChecksum.of([first, number], payload), bytes: 8)
        writer.bytes += payload
        return writer.bytes
    }
}

/// Why a journal ends where it does.
public enum JournalEnd: String, CaseIterable, Hashable, Sendable, JournalChoice {
    /// The gateway stopped.
    case stopped
    /// The file has the size it may have.
    case full
    /// The disk was too slow: events after this one are missing.
    case gap

    var journalCode: UInt8 {
        switch self {
        case .stopped: 1
        case .full: 2
        case .gap: 3
        }
    }

    /// The last block. `events`: how many were written.
    public func block(events: UInt64) -> [UInt8] {
        JournalFormat.block(.end, number: events, [journalCode])
    }
}

/// What a journal begins with: all that is needed to make the same scheduler again.
public struct JournalHead: Sendable {
    /// Of the gateway that wrote it. Another one may decide otherwise.
    public var gatewayVersion: String
    /// Since 1970, when the journal began.
    public var unixStart: TimeSpan
    public var configuration: Scheduler.Configuration
    public var seed: UInt64
    public var start: MonotonicTime
    /// For people: by endpoint, model and tenant. Decisions know positions only.
    public var endpoints: [String]
    public var models: [String]
    public var tenants: [String]

    public init(
        gatewayVersion: String, unixStart: TimeSpan, configuration: Scheduler.Configuration,
        seed: UInt64, start: MonotonicTime, endpoints: [String] = [], models: [String] = [],
        tenants: [String] = []
    ) {
        self.gatewayVersion = gatewayVersion
        self.unixStart = unixStart
        self.configuration = configuration
        self.seed = seed
        self.start = start
        self.endpoints = endpoints
        self.models = models
        self.tenants = tenants
    }

    /// The first block.
    public func block() -> [UInt8] {
        var writer = FieldWriter()
        var head = self
        writer.code(&head)
        return JournalFormat.block(.head, number: 0, writer.bytes)
    }

    /// Why no reader would take a journal with this head, in words; `nil`: it would.
    public var problem: String? {
        if let problem = JournalBounds.problem(of: self) { return problem }
        let length = block().count - JournalFormat.blockHeadBytes
        guard length > JournalFormat.longestBlock else { return nil }
        return "its head has \(length) bytes, \(JournalFormat.longestBlock) at most"
    }

    public func scheduler() -> Scheduler {
        Scheduler(configuration: configuration, seed: seed, at: start)
    }
}

extension JournalHead: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&gatewayVersion)
        try coder.code(&unixStart)
        try coder.code(&configuration)
        try coder.code(&seed)
        try coder.code(&start)
        try coder.code(&endpoints)
        try coder.code(&models)
        try coder.code(&tenants)
    }
    static var blank: Self {
        Self(gatewayVersion: "", unixStart: .zero, configuration: .blank, seed: 0, start: .zero)
    }
}
