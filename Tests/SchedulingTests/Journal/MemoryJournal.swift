import InferenceTypes

@testable import Scheduling

/// A journal without a disk.
struct MemoryJournal {
    private var recorder: JournalRecorder
    private(set) var bytes: [UInt8]
    /// Where blocks begin.
    private(set) var blocks: [Int] = []

    init(_ configuration: Configuration, seed: UInt64, at start: MonotonicTime = .zero) {
        recorder = JournalRecorder(at: start)
        bytes = JournalFormat.prologue
        append(
            JournalHead(
                gatewayVersion: "1.2.3", unixStart: .seconds(1_800_000_000),
                configuration: configuration, seed: seed, start: start,
                endpoints: ["a:1"], models: ["m"], tenants: ["t"]
            ).block())
    }

    var events: UInt64 { recorder.events }

    mutating func record(
        _ event: Scheduler.Event, at now: MonotonicTime, _ actions: [Scheduler.Action]
    ) {
        recorder.record(event, at: now, actions)
        if recorder.isFull { flush() }
    }

    mutating func flush() { append(recorder.take(into: []).block()) }

    /// The whole file.
    mutating func finish(_ end: JournalEnd? = .stopped) -> [UInt8] {
        if !recorder.isEmpty { flush() }
        if let end { append(end.block(events: recorder.events)) }
        return bytes
    }

    private mutating func append(_ block: [UInt8]) {
        blocks.append(bytes.count)
        bytes += block
    }
}

extension JournalReader {
    /// A file in memory.
    init(bytes: [UInt8]) throws {
        var position = 0
        try self.init { count in
            let end = min(position + count, bytes.count)
            defer { position = end }
            return Array(bytes[position..<end])
        }
    }
}

/// What a replay of bytes came to.
struct Outcome {
    var events: UInt64 = 0
    var divergence: JournalReplay.Divergence?
    var ending: JournalReader.Ending?
    var error: JournalError?

    init(replaying bytes: [UInt8]) throws {
        do {
            var replay = JournalReplay(try JournalReader(bytes: bytes))
            while divergence == nil, let step = try replay.next() {
                if case .differs(_, let difference) = step { divergence = difference }
                events = replay.reader.events
            }
            ending = replay.reader.ending
        } catch let error as JournalError {
            self.error = error
        }
    }
}
