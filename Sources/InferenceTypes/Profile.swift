/// What one engine on one accelerator group costs: the measured, published or assumed curve that
/// predictions start from. Read from JSON by `Configuration`; see `Config/profiles/`.
public struct Profile: Hashable, Sendable {
    /// One point of the decode curve: while `batch` sequences run, one iteration (every sequence
    /// gains one token) takes `iterationTime` and the whole group draws `power`.
    public struct Knot: Hashable, Sendable {
        public var batch: Double
        public var iterationTime: TimeSpan
        public var power: Watts
        public var provenance: Provenance

        public init(
            batch: Double, iterationTime: TimeSpan, power: Watts, provenance: Provenance
        ) {
            self.batch = batch
            self.iterationTime = iterationTime
            self.power = power
            self.provenance = provenance
        }
    }

    /// What the meter behind the figures saw. Unlike scopes are never added.
    public enum MeterScope: String, CaseIterable, Sendable {
        case accelerator, card, host, wall
    }

    public var name: String
    public var model: String
    public var accelerator: String
    public var provenance: Provenance
    /// Power with the model loaded and nothing running.
    public var idlePower: Watts
    public var sleepPower: Watts
    public var wakeTime: TimeSpan
    public var wakeEnergy: Joules
    /// Most sequences that may run at once.
    public var maxBatch: Int
    /// Input tokens per second while prefilling; 0: no separate prefill (one pass per batch).
    public var prefillTokensPerSecond: Double
    public var prefillPower: Watts
    public var weightsGigabytes: Double
    public var kvKilobytesPerToken: Double
    public var meterScope: MeterScope
    /// Ascending batches for which a decode graph was compiled: a step costs what the smallest
    /// bucket that holds the batch costs. Empty: no buckets (GPU, CPU).
    public var decodeBuckets: [Int]
    /// Ascending by batch, at least one.
    public var knots: [Knot]

    public init(
        name: String, model: String, accelerator: String, provenance: Provenance,
        idlePower: Watts, sleepPower: Watts, wakeTime: TimeSpan, wakeEnergy: Joules,
        maxBatch: Int, prefillTokensPerSecond: Double, prefillPower: Watts,
        weightsGigabytes: Double, kvKilobytesPerToken: Double, meterScope: MeterScope,
        decodeBuckets: [Int], knots: [Knot]
    ) {
        self.name = name
        self.model = model
        self.accelerator = accelerator
        self.provenance = provenance
        self.idlePower = idlePower
        self.sleepPower = sleepPower
        self.wakeTime = wakeTime
        self.wakeEnergy = wakeEnergy
        self.maxBatch = maxBatch
        self.prefillTokensPerSecond = prefillTokensPerSecond
        self.prefillPower = prefillPower
        self.weightsGigabytes = weightsGigabytes
        self.kvKilobytesPerToken = kvKilobytesPerToken
        self.meterScope = meterScope
        self.decodeBuckets = decodeBuckets
        self.knots = knots
    }
}

extension Profile {
    /// The same, drawing so many times the power in every state.
    public func drawing(_ factor: Double) -> Profile {
        var profile = self
        profile.idlePower = Watts(idlePower.value * factor)
        profile.sleepPower = Watts(sleepPower.value * factor)
        profile.wakeEnergy = Joules(wakeEnergy.value * factor)
        profile.prefillPower = Watts(prefillPower.value * factor)
        for index in knots.indices {
            profile.knots[index].power = Watts(knots[index].power.value * factor)
        }
        return profile
    }
}
