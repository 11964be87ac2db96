import EnergyModel
import InferenceTypes

/// One word for what an endpoint is good for at the moment, the gravest one that applies.
public enum EndpointCondition: String, CaseIterable, Sendable {
    /// Takes requests.
    case active
    /// Takes requests up to a limit that grows, after it came back.
    case slowStart = "slow_start"
    /// Said that it has too much to do; gets nothing for a moment.
    case resting
    /// Its ejection is over; one request is out, or may go out, to find out.
    case onTrial = "on_trial"
    /// Finishes what it runs; then it sleeps.
    case retiring
    /// Draws sleep power.
    case asleep
    case waking
    /// Failed too often in a row; gets nothing for a while.
    case ejected
    /// Active probes fail.
    case unhealthy
    /// Taken out by the operator.
    case draining
}

/// What the scheduler knows of one endpoint: small values, one per concern, none of which holds
/// a reference. Its cost model and the list of its requests are kept beside it.
///
/// What decisions ask of it is always inlined: a call would be given a copy of the whole state,
/// which costs more than the answer.
struct EndpointState: Sendable {
    let id: EndpointID
    let pool: PoolID
    let weight: Double
    let prefillRule: EndpointModel.PrefillRule
    /// Engine time per output token, decoding at full batch; per item for classifiers.
    var timePerToken: Double
    /// Most sequences in flight.
    let limit: Int

    var administrative = Scheduler.AdministrativeState.active
    var power: EndpointPower
    var health: ProbeHealth
    var breaker: CircuitBreaker
    var rest: SaturationRest
    var slowStart: SlowStart
    /// Totals of the endpoint's ``RunningSet``.
    var running = RunningTotals()
    var foreign: ForeignLoad
    var prefill: PrefillBacklog
    var predictedEnergy = Joules.zero
    var dispatched = 0
    /// The condition last told to the shell.
    var reported = EndpointCondition.active
    /// The deadline already set for this endpoint.
    var wake: MonotonicTime?

    /// Output tokens assumed left of a sequence of which we know nothing.
    static let foreignRemainingTokens = 100

    init(
        _ endpoint: Scheduler.Configuration.Endpoint, id: EndpointID, model: EndpointModel,
        configuration: Scheduler.Configuration
    ) {
        self.id = id
        pool = endpoint.pool
        prefillRule = model.prefillRule
        timePerToken = Self.timePerToken(model)
        weight = endpoint.weight > 0 && endpoint.weight.isFinite ? endpoint.weight : 1
        limit = Self.limit(endpoint, model: model, configuration)
        power = EndpointPower(endpoint)
        health = ProbeHealth(configuration.health)
        breaker = CircuitBreaker(configuration.breaker)
        rest = SaturationRest(configuration.saturation)
        slowStart = SlowStart(configuration.slowStart)
        foreign = ForeignLoad(lifetime: configuration.foreignLoadLifetime)
        prefill = PrefillBacklog(window: configuration.model.prefillWindow)
    }

    static func timePerToken(_ model: EndpointModel) -> Double {
        model.workTime(outputTokens: 1_000_000).seconds / 1_000_000
    }

    /// One batch of a classifier computes while the next one waits at its door.
    private static func limit(
        _ endpoint: Scheduler.Configuration.Endpoint, model: EndpointModel,
        _ configuration: Scheduler.Configuration
    ) -> Int {
        if let most = endpoint.maxInFlight { return max(most, 1) }
        let capacity = model.curve.capacity
        if model.prefillRule == .onePass { return 2 * capacity }
        return capacity + min(max(configuration.waitingAllowance, 0), 1 << 20)
    }

    /// Filters that hold for every request alike.
    @inline(__always)
    func isUsable(at now: MonotonicTime) -> Bool {
        administrative == .active && power.isAwake && health.isUsable
            && breaker.admits(at: now) && rest.isOver(at: now)
    }

    /// True if it serves, or would once it is awake.
    @inline(__always)
    var isSound: Bool {
        administrative == .active && health.isUsable && breaker.opensUntil == nil
    }

    /// True if `sequences` more may be in flight. One request always fits on an endpoint that
    /// has none of ours, however large it is and however busy others keep the endpoint.
    @inline(__always)
    func hasRoom(for sequences: Int, at now: MonotonicTime) -> Bool {
        if running.count == 0 { return true }
        let grown = max(Int(Double(limit) * slowStart.factor(at: now)), 1)
        return running.sequences + foreign.sequences(at: now) + sequences <= grown
    }

    /// If nothing changes but time: when the endpoint may be used again; `nil` if time alone
    /// does not help.
    @inline(__always)
    func usable(from now: MonotonicTime) -> MonotonicTime? {
        guard administrative == .active, health.isUsable else { return nil }
        return max(rest.until, breaker.opensUntil ?? now, power.ready(from: now))
    }

    /// The part of ``load(at:)`` that energy hangs on.
    @inline(__always)
    func decoding(at now: MonotonicTime) -> (batch: Int, remainingTokens: Int) {
        let foreign = foreign.sequences(at: now)
        let own =
            prefillRule == .onePass ? running.sequences : running.decodingSequences
        return (
            own + foreign, running.remainingTokens + foreign * Self.foreignRemainingTokens
        )
    }

    @inline(__always)
    func load(at now: MonotonicTime) -> EndpointLoad {
        let decoding = decoding(at: now)
        return EndpointLoad(
            batch: decoding.batch, remainingTokens: decoding.remainingTokens,
            queuedPrefill: prefill.queued(at: now),
            prefillUtilisation: prefill.utilisation(at: now),
            recentPrefill: prefill.recent(at: now))
    }

    /// Predicted seconds of work accepted and not done, over the weight: `(Q + W) / weight`,
    /// W as in ``EndpointModel/workTime(outputTokens:)``; for classifiers of all their items.
    @inline(__always)
    func work(at now: MonotonicTime) -> Double {
        let load = load(at: now)
        let tokens = prefillRule == .onePass ? load.batch : load.remainingTokens
        return (load.queuedPrefill.seconds + Double(tokens) * timePerToken) / weight
    }

    @inline(__always)
    func condition(at now: MonotonicTime) -> EndpointCondition {
        if administrative == .draining { return .draining }
        if !health.isUsable { return .unhealthy }
        switch power.state {
        case .awake: break
        case .retiring: return .retiring
        case .fallingAsleep, .asleep: return .asleep
        case .waking: return .waking
        }
        switch breaker.state {
        case .open(let until): return now >= until ? .onTrial : .ejected
        case .trial, .idleTrial: return .onTrial
        case .closed: break
        }
        if !rest.isOver(at: now) { return .resting }
        return slowStart.isOver(at: now) ? .active : .slowStart
    }

    /// When time alone will change the condition next.
    @inline(__always)
    func nextChange(after now: MonotonicTime) -> MonotonicTime? {
        var next: MonotonicTime?
        if rest.until > now { next = rest.until }
        if let time = breaker.opensUntil, time > now { next = min(next ?? time, time) }
        if let time = slowStart.end, time > now { next = min(next ?? time, time) }
        return next
    }
}
