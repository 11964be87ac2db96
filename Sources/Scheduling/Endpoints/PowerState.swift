import InferenceTypes

/// Whether an endpoint's accelerator is there for requests.
public enum PowerState: String, CaseIterable, Sendable {
    /// Serves. Next: `retiring` or, without work, `fallingAsleep`.
    case awake
    /// Chosen to sleep: finishes what it runs and gets nothing new. Next: `fallingAsleep`, or
    /// `awake` again at once if it is needed after all.
    case retiring
    /// Told to sleep. Next: `asleep`; `awake` if it would not.
    case fallingAsleep = "falling_asleep"
    /// Next: `waking`.
    case asleep
    /// Told to wake. Next: `awake`; `asleep` if it would not.
    case waking
}

/// The power state of one endpoint, since when, and what the plan wants of it.
struct EndpointPower: Hashable, Sendable {
    private(set) var state = PowerState.awake
    private(set) var since = MonotonicTime.zero
    /// The latest plan's word, or that of a request that could not do without it.
    var isWanted = true
    /// A request could not do without it: until it is awake no plan says otherwise.
    var isSummoned = false
    let canSleep: Bool
    let wakeTime: TimeSpan

    init(_ endpoint: Scheduler.Configuration.Endpoint) {
        canSleep = endpoint.canSleep
        wakeTime = max(endpoint.profile.wakeTime, .zero)
    }

    var isAwake: Bool { state == .awake }

    mutating func become(_ next: PowerState, at now: MonotonicTime) {
        guard next != state else { return }
        state = next
        since = now
        if next == .awake || next == .waking { isSummoned = false }
    }

    /// When it can serve if it is woken now, or is waking already.
    func ready(from now: MonotonicTime) -> MonotonicTime {
        switch state {
        case .awake, .retiring: now
        case .fallingAsleep, .asleep: now + wakeTime
        case .waking: max(now, since + wakeTime)
        }
    }
}

/// What an endpoint's sleep saves and its waking costs, from its profile.
public struct SleepCost: Hashable, Sendable {
    public let idlePower: Watts
    public let sleepPower: Watts
    public let wakeTime: TimeSpan
    public let wakeJoules: Joules

    public init(_ profile: Profile) {
        idlePower = profile.idlePower
        sleepPower = profile.sleepPower
        wakeTime = max(profile.wakeTime, .zero)
        wakeJoules = max(profile.wakeEnergy, .zero)
    }

    /// Saved for as long as it sleeps.
    public var saving: Watts { Watts(max(idlePower.value - sleepPower.value, 0)) }

    /// `E_wake / (P0 - Ps)`: a sleep shorter than this costs more than it saves; `nil` if sleep
    /// saves nothing. H100: 3 600 J / 95 W = 37.9 s. Falling asleep is taken to cost nothing.
    public var breakEven: TimeSpan? {
        guard saving > .zero else { return nil }
        return TimeSpan(seconds: wakeJoules.value / saving.value)
    }

    /// `E_wake + (P0 - Ps) hold`: what a request that has an endpoint woken has to answer for, if
    /// it then stays awake for `hold`. H100, 60 s: 3 600 + 95 x 60 = 9 300 J.
    public func wakeEnergy(hold: TimeSpan) -> Joules {
        wakeJoules + saving * max(hold, .zero)
    }
}
