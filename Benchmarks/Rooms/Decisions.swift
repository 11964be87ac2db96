import Benchmark
import InferenceTypes
import Scheduling

/// An accelerator that differs from the others in speed and power.
private func profile(_ number: Int) -> Profile {
    let factor = 1 + Double(number) / 4
    return Profile(
        name: "accelerator-\(number)", model: "m", accelerator: "accelerator-\(number)",
        provenance: .assumed, idlePower: Watts(100 * factor), sleepPower: Watts(20),
        wakeTime: .seconds(30), wakeEnergy: Joules(3_000), maxBatch: 192,
        prefillTokensPerSecond: 22_000 * factor, prefillPower: Watts(640 * factor),
        weightsGigabytes: 16, kvKilobytesPerToken: 128, meterScope: .accelerator,
        decodeBuckets: [],
        knots: [(1.0, 0.0068, 406.0), (8, 0.0075, 486), (64, 0.0124, 610), (256, 0.0283, 690)].map {
            Profile.Knot(
                batch: $0.0, iterationTime: TimeSpan(seconds: $0.1 / factor),
                power: Watts($0.2 * factor), provenance: .assumed)
        })
}

/// A fleet that is half busy: eight requests per endpoint, one ends when another comes.
private final class Fleet {
    private var scheduler: Scheduler
    private var now = MonotonicTime(nanoseconds: 1_000_000_000)
    private var actions: [Scheduler.Action] = []
    private var next: UInt64 = 0
    private let outstanding: UInt64
    /// Takes both events of a turn down, if there is one.
    private var recorder: JournalRecorder?

    init(_ endpoints: Int, journals: Bool = false) throws {
        recorder = journals ? JournalRecorder(at: now) : nil
        var configuration = Scheduler.Configuration(
            pools: [
                Scheduler.Configuration.Pool(
                    name: "pool", engine: .vllm, accelerator: .gpu, models: [ModelID(0)])
            ],
            endpoints: (0..<endpoints).map {
                Scheduler.Configuration.Endpoint(pool: PoolID(0), profile: profile($0 % 4))
            },
            modelCount: 1, policy: .energyAware)
        // Nobody waits by choice: every turn is one placement.
        configuration.patience.lenientShare = 0
        configuration.patience.strictShare = 0
        scheduler = Scheduler(configuration: configuration, seed: 1)
        outstanding = UInt64(endpoints * 8)
        while next < outstanding { try arrive() }
    }

    private func arrive() throws {
        now = now + .microseconds(500)
        next += 1
        actions.removeAll(keepingCapacity: true)
        let request = InferenceRequest(
            id: RequestID(next), model: ModelID(0), task: .chat, streams: true,
            promptBytes: 800 + Int(next % 64) * 40, maxOutputTokens: 128,
            objective: LatencyObjective(
                timeToFirstToken: .seconds(2), interTokenLatency: .milliseconds(100)))
        handle(.arrived(request))
        guard case .dispatch = actions.last else { throw Unexpected("not placed") }
    }

    /// One arrival, and the end of the oldest request.
    func turn() throws {
        try arrive()
        actions.removeAll(keepingCapacity: true)
        let completion = Scheduler.Completion(
            outcome: .completed, usage: Usage(inputTokens: 200, outputTokens: 100))
        handle(.finished(RequestID(next - outstanding), completion))
    }

    /// As the gateway does it under its lock.
    private func handle(_ event: Scheduler.Event) {
        let first = actions.count
        scheduler.handle(event, at: now, into: &actions)
        recorder?.record(event, at: now, actions, from: first)
        if recorder?.isFull == true { _ = recorder?.take(into: JournalRecorder.buffer()) }
    }
}

func measureDecisions() {
    for endpoints in [32, 256] {
        measure("decision among \(endpoints) endpoints, and an end") {
            let fleet = try Fleet(endpoints)
            return { try fleet.turn() }
        }
        measure("decision among \(endpoints) endpoints, and an end, journalled") {
            let fleet = try Fleet(endpoints, journals: true)
            return { try fleet.turn() }
        }
    }
}
