import InferenceTypes
import Scheduling

/// What the exact replay of a journal came to.
public struct ReplayReport: Codable, Hashable, Sendable {
    /// Where scheduler and journal part.
    public struct Divergence: Codable, Hashable, Sendable {
        /// From 1.
        public var event: Int
        /// Since the journal began.
        public var seconds: Double
        public var kind: String
        public var expected: String
        public var actual: String
        /// What the scheduler did now.
        public var actions: [String]
    }

    public struct Placed: Codable, Hashable, Sendable {
        public var pool: String
        public var endpoint: String
        public var placements = 0
        /// Of these, second and later attempts.
        public var retries = 0
        /// Marginal, predicted at placement.
        public var predictedJoules = 0.0

        enum CodingKeys: String, CodingKey {
            case pool, endpoint, placements, retries
            case predictedJoules = "predicted_joules"
        }
    }

    public var gatewayVersion = ""
    public var policy = ""
    /// Seconds since 1970.
    public var startedAt = 0.0
    public var events = 0
    public var requests = 0
    /// Of the file, as far as it is whole.
    public var bytes = 0
    /// From the journal's beginning to its last event.
    public var seconds = 0.0
    /// Placements and rejections.
    public var decisions = 0
    /// `stopped`, `full`, `gap` or `cut`; `nil` if it was not read to its end.
    public var end: String?
    public var completed = 0
    public var cancelled = 0
    public var failed = 0
    public var placed: [Placed] = []
    /// By reason.
    public var rejections: [String: Int] = [:]
    public var divergence: Divergence?
    /// Where the file is damaged, and how.
    public var damage: String?

    /// The same actions all along, and nothing damaged.
    public var isExact: Bool { divergence == nil && damage == nil }

    enum CodingKeys: String, CodingKey {
        case policy, events, requests, bytes, seconds, decisions, end, completed, cancelled, failed
        case placed, rejections, divergence, damage
        case gatewayVersion = "gateway_version"
        case startedAt = "started_at"
    }

    /// Replays up to the end, the first divergence or damage behind the head.
    ///
    /// Throws ``JournalError`` if there is no sound head, and what the source throws.
    public init(_ reader: JournalReader) throws {
        let head = reader.head
        gatewayVersion = head.gatewayVersion
        policy = head.configuration.policy.rawValue
        startedAt = head.unixStart.seconds
        placed = head.configuration.endpoints.enumerated().map { index, endpoint in
            Placed(
                pool: head.configuration.pools[endpoint.pool.index].name,
                endpoint: head.endpoints.indices.contains(index) ? head.endpoints[index] : "")
        }
        var replay = JournalReplay(reader)
        do {
            while divergence == nil, let step = try replay.next() {
                switch step {
                case .same(let record):
                    note(record, since: head.start)
                    for action in replay.actions { note(action) }
                case .differs(let record, let difference):
                    note(record, since: head.start)
                    divergence = Divergence(difference, replay.actions)
                }
            }
        } catch let error as JournalError {
            damage = error.description
        }
        bytes = Int(replay.reader.offset)
        switch replay.reader.ending {
        case .marked(let mark): end = mark.rawValue
        case .cut: end = "cut"
        case nil: break
        }
    }

    private mutating func note(_ record: JournalReader.Record, since start: MonotonicTime) {
        events += 1
        seconds = max(seconds, (record.at - start).seconds)
        switch record.event {
        case .arrived: requests += 1
        case .withdrawn: cancelled += 1
        case .finished(_, let completion):
            switch completion.outcome {
            case .completed: completed += 1
            case .cancelled: cancelled += 1
            case .failed: failed += 1
            }
        default: break
        }
    }

    private mutating func note(_ action: Scheduler.Action) {
        switch action {
        case .dispatch(_, let placement):
            decisions += 1
            let index = placement.endpoint.index
            guard placed.indices.contains(index) else { return }
            placed[index].placements += 1
            if placement.attempt > 1 { placed[index].retries += 1 }
            placed[index].predictedJoules += placement.estimate.marginalEnergy.value
        case .reject(_, let rejection):
            decisions += 1
            rejections[rejection.reason.rawValue, default: 0] += 1
        case .queue, .endpointStateChanged, .sleep, .wake, .charged, .attributed: break
        }
    }
}

extension ReplayReport.Divergence {
    init(_ difference: JournalReplay.Divergence, _ actions: [Scheduler.Action]) {
        func words(_ count: Int, _ digest: UInt32?) -> String {
            let noun = count == 1 ? "action" : "actions"
            return digest.map { "\(count) \(noun), digest \(String($0, radix: 16))" }
                ?? "no action"
        }
        self.init(
            event: Int(difference.event), seconds: difference.after.seconds,
            kind: "\(difference.kind)",
            expected: words(difference.expectedActions, difference.expectedDigest),
            actual: words(difference.actualActions, difference.actualDigest),
            actions: actions.prefix(8).map { "\($0)" })
    }
}
