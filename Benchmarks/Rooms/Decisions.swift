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

/// Conversations that grow: of as many as there are at a time each comes back in turn, two messages
/// longer, and after eight turns another one takes its place. Eight sets of instructions stand
/// before them all.
private struct Conversations {
    private static let turns = 8
    private static let instructions = 3_000
    private static let message = 700
    let count: Int
    private var next = 0

    init(_ count: Int) { self.count = count }

    mutating func prefix() -> PromptPrefix {
        let (round, place) = next.quotientAndRemainder(dividingBy: count)
        next += 1
        let talk = round / Self.turns * count + place
        var boundaries = PromptBoundaries()
        var end = Self.instructions
        boundaries.note(end)
        for _ in 0...2 * (round % Self.turns) {
            end += Self.message
            boundaries.note(end)
        }
        var prefix = PromptPrefix(bytes: end)
        boundaries.forEach(upTo: end) { place in
            // What the hash of the text so far would be: equal beginnings, equal numbers.
            let text = place <= Self.instructions ? talk % 8 : 8 + talk
            let hash = (UInt64(text + 1) &* 0x9E37_79B9_7F4A_7C15).folded(
                with: UInt64(place) &* 0xD6E8_FEB8_6659_FD93 | 1)
            prefix.append(PromptPrefix.Mark(hash: hash, bytes: place))
        }
        return prefix
    }
}

/// A fleet that is half busy: eight requests per endpoint, one ends when another comes.
private final class Fleet {
    private var scheduler: Scheduler
    private var now = MonotonicTime(nanoseconds: 1_000_000_000)
    private var actions: [Scheduler.Action] = []
    private var next: UInt64 = 0
    private let outstanding: UInt64
    private let endpoints: Int
    /// `nil`: prompts have nothing in common.
    private var conversations: Conversations?
    /// Requests made before they are needed.
    private var prepared: [InferenceRequest] = []
    private var found = 0
    /// Takes both events of a turn down, if there is one.
    private var recorder: JournalRecorder?

    init(_ endpoints: Int, journals: Bool = false, converses: Bool = false) throws {
        self.endpoints = endpoints
        conversations = converses ? Conversations(endpoints * 12) : nil
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
        while next < outstanding { try arrive(request()) }
        // A few rounds of conversations, so that there is something to be found.
        if converses { for _ in 0..<endpoints * 12 * 4 { try turn() } }
    }

    private func request() -> InferenceRequest {
        next += 1
        var request = InferenceRequest(
            id: RequestID(next), model: ModelID(0), task: .chat, streams: true,
            promptBytes: 800 + Int(next % 64) * 40, maxOutputTokens: 128,
            objective: LatencyObjective(
                timeToFirstToken: .seconds(2), interTokenLatency: .milliseconds(100)))
        if let prefix = conversations?.prefix() {
            request.prefix = prefix
            request.promptBytes = prefix.bytes
        }
        return request
    }

    private func arrive(_ request: InferenceRequest) throws {
        now = now + .microseconds(500)
        actions.removeAll(keepingCapacity: true)
        handle(.arrived(request))
        guard case .dispatch(_, let placement) = actions.last else {
            throw Unexpected("not placed")
        }
        if placement.cachedInputTokens > 0 { found += 1 }
    }

    /// One arrival, and the end of the oldest request.
    func turn() throws {
        try arrive(request())
        end(RequestID(next - outstanding))
    }

    private func end(_ id: RequestID) {
        actions.removeAll(keepingCapacity: true)
        let completion = Scheduler.Completion(
            outcome: .completed, usage: Usage(inputTokens: 200, outputTokens: 100))
        handle(.finished(id, completion))
    }

    /// One arrival of those prepared: of ``endpoints`` many, so that each endpoint has one more
    /// request than before on average.
    func decide() throws {
        guard let request = prepared.popLast() else { throw Unexpected("no request") }
        try arrive(request)
    }

    /// As many ends of the oldest, and the next requests.
    func settle() throws {
        guard prepared.isEmpty else { throw Unexpected("requests left") }
        if conversations != nil, found == 0 { throw Unexpected("no prefix found") }
        found = 0
        let first = next - outstanding - UInt64(endpoints) + 1
        for id in first..<first + UInt64(endpoints) { end(RequestID(id)) }
        prepare()
    }

    func prepare() {
        for _ in 0..<endpoints { prepared.append(request()) }
        prepared.reverse()
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
        for converses in [false, true] {
            let kind = converses ? " with prefixes" : ""
            measure("decision\(kind) among \(endpoints) endpoints", units: endpoints) {
                let fleet = try Fleet(endpoints, converses: converses)
                fleet.prepare()
                return ({ try fleet.decide() }, { try fleet.settle() })
            }
        }
    }
}
