import InferenceTypes

/// The physics of one model server in virtual time: a queue, a step loop, a KV cache and a power
/// draw. It is a plain value driven by submissions, cancellations and time, so that a simulator
/// can own thousands and a server can drive one with the real clock.
///
/// - GPU (`vllm`, `sglang`): a step takes every decoding sequence (one token each) and prefill
///   chunks up to the token budget. It lasts iteration time + chunk tokens / prefill rate, and
///   draws both powers weighted by their times. Short of KV blocks the newest sequence is
///   pre-empted and computed again later.
/// - NPU (`vllm-rbln`): a step is either the whole prefill of one sequence, which goes first, or
///   a decode at the time and power of the smallest compiled bucket that holds the batch.
/// - CPU (`llama-server`): fixed slots, a deferred queue, prefill in micro-batches that share the
///   step with the decodes; no pre-emption.
/// - Encoders (embedding, classification) on a profile without a prefill rate: one forward pass
///   per batch. On a profile with one: a prefill without output.
///
/// An engine without work may be put to sleep and woken: `EmulatedEngine+Power`.
///
/// A step takes in every request submitted at or before the instant at which it begins, so calls
/// at one instant may come in any order between `advance` calls. What has happened by a given
/// time does not depend on how often `advance` was called before.
public struct EmulatedEngine: Sendable {
    public let profile: Profile
    public let kind: EngineKind
    public let options: EngineOptions
    /// When warm-up is over.
    public let readyAt: MonotonicTime
    /// Most sequences that run at once.
    public let maxSequences: Int
    /// Longest context, tokens: the option's figure or all of the KV pool.
    public let contextLimit: Int

    let table: DecodeTable
    let idleWatts: Double
    /// Input tokens per second; 0: prefill is not a phase of its own.
    let prefillRate: Double
    let prefillWatts: Double
    let sleepWatts: Double
    let wakeTime: TimeSpan
    let wakeJoules: Double

    var random: RandomSource
    var pool: KVPool
    var prefixCache = PrefixCache()
    var waitingQueue = WaitingQueue()
    /// In the order of admission.
    var runningSequences: [Sequence] = []
    var step: Step?
    /// When the next step begins, if there is work and no step in flight.
    var nextStart: MonotonicTime?
    public internal(set) var powerState = EnginePower.awake
    /// The latest time this engine was told of.
    var clock: MonotonicTime
    /// Outputs of calls that have nowhere to put them.
    var pending: [EngineOutput] = []
    var stepCounters = EngineCounters()

    /// Energy is booked up to here; since then the present state has drawn constant power.
    var settledAt: MonotonicTime
    var settledEnergy = EnergyByState()
    /// Busy energy of requests that were cancelled while their step went on.
    var orphanedEnergy = Joules.zero

    /// - Parameter start: when the engine was switched on; its energy counts from here.
    public init(
        profile: Profile, kind: EngineKind, seed: UInt64,
        options: EngineOptions = EngineOptions(), startingAt start: MonotonicTime = .zero
    ) {
        self.profile = profile
        self.kind = kind
        self.options = options
        var limit = options.maxSequences ?? profile.maxBatch
        if kind == .llamaServer, let slots = options.slots { limit = slots }
        if let largest = profile.decodeBuckets.last { limit = min(limit, largest) }
        maxSequences = max(1, limit)
        table = DecodeTable(
            profile: profile, largest: maxSequences, timeFactor: options.timeFactor,
            powerFactor: options.powerFactor)
        idleWatts = profile.idlePower.value * options.powerFactor
        prefillRate = max(0, profile.prefillTokensPerSecond / options.timeFactor)
        prefillWatts = profile.prefillPower.value * options.powerFactor
        sleepWatts = profile.sleepPower.value * options.powerFactor
        wakeTime = max(
            .zero, TimeSpan(seconds: profile.wakeTime.seconds * options.timeFactor))
        wakeJoules = max(0, profile.wakeEnergy.value * options.powerFactor)
        pool = Self.pool(profile: profile, kind: kind, options: options)
        contextLimit = min(max(1, options.maxModelLength), pool.capacity ?? .max)
        random = RandomSource(seed: seed)
        readyAt = start + options.warmUp
        clock = start
        settledAt = start
    }

    private static func pool(
        profile: Profile, kind: EngineKind, options: EngineOptions
    ) -> KVPool {
        guard kind != .llamaServer, profile.kvKilobytesPerToken > 0 else {
            return KVPool(blockTokens: 0, total: 0)
        }
        let isNPU = kind == .vllmRBLN
        return KVPool(
            blockTokens: max(1, options.kvBlockTokens ?? (isNPU ? 4_096 : 16)),
            total: options.kvBlocks ?? (isNPU ? 128 : 65_536))
    }

    // MARK: Events

    /// Queues a request. A request that cannot run is rejected by an output of the next
    /// `advance`. A `now` before an earlier call's counts as that call's time.
    public mutating func submit(_ request: EngineRequest, at now: MonotonicTime) {
        let now = catchUp(to: now)
        let needsRoom = request.task == .generate && request.outputTokens > 0
        if request.inputTokens > contextLimit - (needsRoom ? 1 : 0) {
            reject(request, .promptTooLong, at: now)
        } else if let limit = options.maxWaiting, waitingQueue.count >= limit {
            reject(request, .queueFull, at: now)
        } else {
            let encodesInOnePass = request.task != .generate && prefillRate == 0
            waitingQueue.append(
                Sequence(
                    request, submittedAt: now, contextLimit: contextLimit,
                    prefills: prefillRate > 0 && !encodesInOnePass))
            truncateRun(at: now)
            if step == nil, nextStart == nil { nextStart = earliestStart(at: now) }
        }
    }

    /// Drops a request, waiting or running; its slot and its KV blocks are free at once, the
    /// step in flight goes on. Returns what it has cost, or `nil` if it is not here (any more).
    /// A cancelled request has no further outputs.
    @discardableResult
    public mutating func cancel(_ id: UInt64, at now: MonotonicTime) -> RequestEnergy? {
        let now = catchUp(to: now)
        if let sequence = waitingQueue.remove(id: id) {
            stepCounters.cancelled += 1
            if waitingQueue.isEmpty, runningSequences.isEmpty { nextStart = nil }
            return sequence.energy
        }
        guard let index = runningSequences.firstIndex(where: { $0.id == id }) else { return nil }
        settle(to: now)
        let sequence = runningSequences.remove(at: index)
        pool.give(sequence.blocks)
        stepCounters.cancelled += 1
        truncateRun(at: now)
        if waitingQueue.isEmpty, runningSequences.isEmpty { nextStart = nil }
        return sequence.energy
    }

    /// When to call `advance` next: at or before the time of the next output. `nil`: nothing
    /// will happen before the next submission.
    public func nextEvent() -> MonotonicTime? {
        if !pending.isEmpty { return clock }
        if let step {
            return options.reporting == .everyToken ? step.end(of: step.done + 1) : step.end
        }
        if case .waking(_, let until) = powerState { return until }
        return nextStart.map { $0 + TimeSpan(nanoseconds: 1) }
    }

    /// Lets time pass and appends what happened up to and including `now`.
    public mutating func advance(to now: MonotonicTime, into output: inout [EngineOutput]) {
        output.append(contentsOf: pending)
        pending.removeAll(keepingCapacity: true)
        run(to: now, into: &output)
    }

    // MARK: Readings. Advance first: they hold from the last call until the next event.

    public var running: Int { runningSequences.count }
    public var waiting: Int { waitingQueue.count }

    /// Used share of the KV blocks, 0 ... 1; 0 where there is no pool.
    public var kvUsage: Double { pool.usage }
    public var kvBlocks: Int { pool.total }
    public var kvBlockTokens: Int { pool.blockTokens }

    public var counters: EngineCounters { stepCounters }

    /// True once warm-up is over, asleep or not.
    public func isReady(at now: MonotonicTime) -> Bool { now >= readyAt }

    /// True power with nothing to do.
    public var idlePower: Watts { Watts(idleWatts) }

    /// True power at this instant.
    public func power(at now: MonotonicTime) -> Watts {
        guard let step, now < step.end else { return Watts(restWatts(at: now)) }
        return Watts(step.watts)
    }

    /// The integral of power from the start to `now`.
    public func energy(upTo now: MonotonicTime) -> Joules { energyByState(upTo: now).total }

    public func energyByState(upTo now: MonotonicTime) -> EnergyByState {
        var energy = settledEnergy
        if let step {
            energy.add(step, energy: max(.zero, now - settledAt).seconds * step.watts)
        } else {
            energy.add(restEnergy(from: settledAt, to: now))
        }
        return energy
    }

    /// Busy energy that no live or finished request answers for: the rest of steps whose
    /// requests were cancelled.
    public var unattributedEnergy: Joules { orphanedEnergy }

    /// Output tokens so far of everything that runs, in the order of admission.
    public var progress: [(id: UInt64, outputTokens: Int)] {
        runningSequences.map { (id: $0.id, outputTokens: $0.generated) }
    }

    // MARK: Parts

    private mutating func reject(
        _ request: EngineRequest, _ reason: RejectionReason, at now: MonotonicTime
    ) {
        stepCounters.rejected += 1
        pending.append(.rejected(id: request.id, reason: reason, at: now))
    }

    mutating func catchUp(to now: MonotonicTime) -> MonotonicTime {
        var output: [EngineOutput] = []
        swap(&output, &pending)
        run(to: now, into: &output)
        swap(&output, &pending)
        return clock
    }
}
