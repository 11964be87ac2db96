import InferenceTypes
import Scheduling
import Simulation

extension FuzzTarget {
    /// Input: a mode, then records behind a sound head; or changes and records, the changes being
    /// of the head, whose checksum is right again, or of the whole file; or a file.
    static let journals = FuzzTarget("journal", longestInput: 1_024) { input in
        guard let (mode, bytes) = input.cut(1) else { return }
        var rest = Array(bytes)
        var file: [UInt8]
        var most = UInt64.max
        switch mode[0] & 3 {
        case 0: file = journal(headBlock(changes: []), records: rest)
        case 1:
            let changes = Change.take(from: &rest)
            file = journal(headBlock(changes: changes), records: rest)
        case 2:
            let changes = Change.take(from: &rest)
            file = journal(headBlock(changes: []), records: rest)
            most = try replay(file).events
            for change in changes where !file.isEmpty {
                file[change.offset % file.count] = change.byte
            }
        default: file = rest
        }
        let outcome = try replay(file)
        try require(outcome.events <= most, "\(outcome.events) events of \(most)")
    }
}

private struct Change {
    var offset: Int
    var byte: UInt8

    static func take(from input: inout [UInt8]) -> [Change] {
        guard let count = input.first else { return [] }
        var changes: [Change] = []
        var index = 1
        while changes.count < Int(count & 15), index + 3 <= input.count {
            changes.append(
                Change(
                    offset: Int(input[index]) | Int(input[index + 1]) << 8,
                    byte: input[index + 2]))
            index += 3
        }
        input.removeFirst(index)
        return changes
    }
}

private func journal(_ head: [UInt8], records: [UInt8]) -> [UInt8] {
    JournalFormat.prologue + head + JournalFormat.block(.events, number: 0, records)
}

/// The payload alone, changed, in a block of its own.
private func headBlock(changes: [Change]) -> [UInt8] {
    var payload = Array(sample.block().dropFirst(JournalFormat.blockHeadBytes))
    for change in changes { payload[change.offset % payload.count] = change.byte }
    return JournalFormat.block(.head, number: 0, payload)
}

private let sample: JournalHead = {
    let profile = Profile(
        name: "p", model: "m", accelerator: "a", provenance: .assumed, idlePower: Watts(100),
        sleepPower: Watts(20), wakeTime: .seconds(3), wakeEnergy: Joules(300), maxBatch: 8,
        prefillTokensPerSecond: 20_000, prefillPower: Watts(600), weightsGigabytes: 16,
        kvKilobytesPerToken: 128, meterScope: .accelerator, decodeBuckets: [],
        knots: [
            .init(
                batch: 1, iterationTime: .milliseconds(7), power: Watts(400), provenance: .assumed),
            .init(
                batch: 8, iterationTime: .milliseconds(9), power: Watts(500), provenance: .assumed),
        ])
    var configuration = Scheduler.Configuration(
        pools: [.init(name: "q", engine: .vllm, accelerator: .gpu, models: [ModelID(0)])],
        endpoints: [
            .init(pool: PoolID(0), profile: profile, canSleep: true),
            .init(pool: PoolID(0), profile: profile, maxInFlight: 1),
        ],
        modelCount: 1, tenants: [.init(allowedPools: [PoolID(0)], weight: 2)])
    configuration.learns = true
    configuration.shadowPolicy = .random
    configuration.meters = [
        .init(name: "w", endpoints: [EndpointID(0), EndpointID(1)], scope: .accelerator)
    ]
    return JournalHead(
        gatewayVersion: "1", unixStart: .seconds(1), configuration: configuration, seed: 1,
        start: .zero, endpoints: ["e", "f"], models: ["m"])
}()

private func reader(of file: [UInt8]) throws -> JournalReader {
    var position = 0
    return try JournalReader { count in
        let end = min(position + count, file.count)
        defer { position = end }
        return Array(file[position..<end])
    }
}

/// Reads all of it, has a scheduler take it, makes requests to simulate of it, and looks at where
/// errors are said to be.
private func replay(_ file: [UInt8]) throws -> (events: UInt64, isWhole: Bool) {
    var events: UInt64 = 0
    do {
        let reader = try reader(of: file)
        let configuration = reader.head.configuration
        // Large tables are allowed and take long to make.
        let rows = configuration.endpoints.reduce(0) { $0 + $1.profile.maxBatch }
        guard configuration.modelCount * (configuration.tenants.count + 1) <= 64, rows <= 4_096
        else { return (0, false) }
        var replay = JournalReplay(reader)
        while try replay.next() != nil { events = replay.reader.events }
        if case .cut(let offset) = replay.reader.ending {
            try require(offset <= file.count, "cut at \(offset) of \(file.count)")
        }
        try simulatable(file)
        return (events, true)
    } catch let error as JournalError {
        try require(error.offset <= file.count, "an error at \(error.offset) of \(file.count)")
        try require(!error.problem.isEmpty, "an error without words")
        return (events, false)
    }
}

private func simulatable(_ file: [UInt8]) throws {
    do {
        let workload = try JournalWorkload(try reader(of: file)).workload
        try require(
            workload.arrivals.allSatisfy { workload.services.indices.contains($0.service) },
            "a request of no service")
    } catch let error as JournalWorkload.Unsuitable {
        try require(!error.description.isEmpty, "unsuitable without words")
    }
}
