import InferenceTypes

/// What the fleet is asked for: arrivals in order, each of one service.
public struct Workload: Sendable {
    /// Requests of one kind: what they share.
    public struct Service: Hashable, Sendable {
        public var name: String
        public var tenant: TenantID
        public var model: ModelID
        public var task: InferenceTask
        public var serviceClass: ServiceClass
        public var objective: LatencyObjective

        public init(
            name: String, tenant: TenantID = .anonymous, model: ModelID = ModelID(0),
            task: InferenceTask = .chat, serviceClass: ServiceClass = .interactive,
            objective: LatencyObjective = .simulated
        ) {
            self.name = name
            self.tenant = tenant
            self.model = model
            self.task = task
            self.serviceClass = serviceClass
            self.objective = objective
        }
    }

    public struct Arrival: Hashable, Sendable {
        public var at: MonotonicTime
        public var service: Int
        public var inputTokens: Int
        public var outputTokens: Int
        /// Where in `prompts` it stands what the prompt consists of, if others may share it.
        public var prompt: Int?

        public init(at: MonotonicTime, service: Int, inputTokens: Int, outputTokens: Int) {
            self.at = at
            self.service = service
            self.inputTokens = inputTokens
            self.outputTokens = outputTokens
        }
    }

    public private(set) var services: [Service] = []
    /// Ascending by time.
    public private(set) var arrivals: [Arrival] = []
    /// Of arrivals that may share the beginning of their prompts with others.
    public private(set) var prompts: [SharedPrompt] = []

    public init() {}

    /// Adds a service. `rows` are played `speed` times as fast as recorded, from the start, as
    /// long as they arrive before `length`; with `repeats`, over and over until then.
    public mutating func add(
        _ service: Service, rows: [TraceRow], speed: Double = 1, length: TimeSpan,
        repeats: Bool = false
    ) {
        let index = add(service)
        guard let last = rows.last, speed > 0, speed.isFinite else { return }
        // A repetition begins one mean gap after the last arrival.
        let gap = last.arrival.seconds / Double(max(rows.count - 1, 1))
        let period = max(last.arrival.seconds + gap, 0.001) / speed
        var offset = 0.0
        repeat {
            for row in rows {
                let at = offset + row.arrival.seconds / speed
                guard at < length.seconds else { break }
                append(at, index, row)
            }
            offset += period
        } while repeats && offset < length.seconds
        sort()
    }

    /// Adds a service that nothing arrives for yet; its index.
    mutating func add(_ service: Service) -> Int {
        services.append(service)
        return services.count - 1
    }

    /// Adds one arrival, out of order.
    mutating func append(_ at: Double, _ service: Int, _ row: TraceRow) {
        arrivals.append(
            Arrival(
                at: MonotonicTime.zero + TimeSpan(seconds: at), service: service,
                inputTokens: row.inputTokens, outputTokens: row.outputTokens))
    }

    /// The same, of a prompt that others may share.
    mutating func append(_ at: Double, _ service: Int, _ row: TraceRow, _ prompt: SharedPrompt) {
        append(at, service, row)
        prompts.append(prompt)
        arrivals[arrivals.count - 1].prompt = prompts.count - 1
    }

    /// Moves each arrival by up to `most` to either side, so that a result does not hang on the
    /// accidents of one recording.
    public mutating func jitter(_ most: TimeSpan, random: inout RandomSource) {
        guard most > .zero else { return }
        for index in arrivals.indices {
            let shift = (2 * random.nextUnit() - 1) * most.seconds
            let at = max(arrivals[index].at.seconds + shift, 0)
            arrivals[index].at = MonotonicTime.zero + TimeSpan(seconds: at)
        }
        sort()
    }

    /// When the last promise would be due, TTFT limit and one ITL limit for each token, in whole
    /// windows of 5 s: over this time the energy of every policy is counted.
    public var horizon: MonotonicTime {
        let window = 5.0
        var last = 0.0
        for arrival in arrivals {
            let promise = services[arrival.service].objective
            let due =
                arrival.at.seconds + (promise.timeToFirstToken?.seconds ?? 0)
                + Double(arrival.outputTokens) * (promise.interTokenLatency?.seconds ?? 0)
            last = max(last, due)
        }
        return .zero + TimeSpan(seconds: window * ((last / window).rounded(.down) + 1))
    }

    /// 0 if nobody has a name.
    var tenantCount: Int { 1 + (services.map(\.tenant.index).max() ?? -1) }

    public var outputTokens: Int { arrivals.reduce(0) { $0 + $1.outputTokens } }
    public var inputTokens: Int { arrivals.reduce(0) { $0 + $1.inputTokens } }

    /// By time; of equal times the order of before holds, so that a sort is repeatable.
    mutating func sort() {
        let order = arrivals.indices.sorted {
            (arrivals[$0].at, $0) < (arrivals[$1].at, $1)
        }
        arrivals = order.map { arrivals[$0] }
    }
}

extension LatencyObjective {
    /// First token within 1 s, then one per 60 ms in the mean.
    public static let simulated = LatencyObjective(
        timeToFirstToken: .seconds(1), interTokenLatency: .milliseconds(60))
}
