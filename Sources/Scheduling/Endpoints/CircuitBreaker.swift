import InferenceTypes

/// Takes an endpoint out of rotation when its answers fail, and lets it back in carefully.
///
/// Failures in a row open it: two if nobody was there (connection refused, no first byte), five
/// if the answers were bad. Capacity (503, 429) and clients' errors (4xx) never count; anything
/// the server answered to its end closes the row.
///
/// The n-th ejection lasts `min(base x 2^(n-1), longest)`: 5, 10, 20, 40, 80, 90, 90 s, each
/// spread by a random tenth. An endpoint that stayed sound for `longest` after its return
/// starts from 5 s again.
public struct CircuitBreaker: Hashable, Sendable {
    public struct Configuration: Hashable, Sendable {
        /// Failed attempts in a row of an endpoint that answers.
        public var brokenInARow = 5
        /// Failed attempts in a row of an endpoint that does not.
        public var unreachableInARow = 2
        public var baseEjection = TimeSpan.seconds(5)
        public var longestEjection = TimeSpan.seconds(90)

        public init() {}
        public static let defaults = Configuration()
    }

    public enum State: Hashable, Sendable {
        /// Requests flow. Next: `open`.
        case closed
        /// No requests until then; what comes in late from earlier ones is ignored.
        /// Next: `trial`, once the time has come and a request is placed.
        case open(until: MonotonicTime)
        /// One request is out to find out. Next: `closed` if it is answered, `open` if it
        /// fails, `idleTrial` if its client left before either.
        case trial
        /// The trial ended without a verdict: the next request is another one. Next: `trial`.
        case idleTrial
    }

    public private(set) var state = State.closed
    private var brokenInARow = 0
    private var unreachableInARow = 0
    private var ejections = 0
    private var returnedAt = MonotonicTime.zero
    private let configuration: Configuration

    public init(_ configuration: Configuration = .defaults) {
        self.configuration = configuration
    }

    /// True if a request may be placed now.
    public func admits(at now: MonotonicTime) -> Bool {
        switch state {
        case .closed, .idleTrial: true
        case .open(let until): now >= until
        case .trial: false
        }
    }

    /// True if the next request placed is a trial.
    public var wantsTrial: Bool {
        switch state {
        case .closed, .trial: false
        case .open, .idleTrial: true
        }
    }

    /// When an open breaker admits its trial.
    public var opensUntil: MonotonicTime? {
        if case .open(let until) = state { return until }
        return nil
    }

    /// A request was placed. True if it is the trial.
    public mutating func placed() -> Bool {
        guard wantsTrial else { return false }
        state = .trial
        return true
    }

    /// The trial's client left before the endpoint had answered.
    public mutating func trialAbandoned() {
        if state == .trial { state = .idleTrial }
    }

    /// The endpoint began to answer: it is there. True if that closed the breaker. A row of bad
    /// answers goes on, for a truncated stream begins well, too.
    public mutating func answered(isTrial: Bool, at now: MonotonicTime) -> Bool {
        switch state {
        case .closed:
            unreachableInARow = 0
            return false
        case .trial where isTrial:
            state = .closed
            returnedAt = now
            return true
        case .open, .trial, .idleTrial:
            return false
        }
    }

    /// The endpoint answered to the end. True if that closed the breaker.
    public mutating func completed(isTrial: Bool, at now: MonotonicTime) -> Bool {
        let closed = answered(isTrial: isTrial, at: now)
        if state == .closed { brokenInARow = 0 }
        return closed
    }

    /// An attempt failed. True if that opened the breaker.
    public mutating func failed(
        _ verdict: UpstreamFailure.Verdict, isTrial: Bool, at now: MonotonicTime,
        random: inout RandomSource
    ) -> Bool {
        switch (state, verdict) {
        case (_, .saturated), (_, .sound), (.open, _), (.idleTrial, _):
            return false
        case (.trial, _):
            guard isTrial else { return false }
        case (.closed, .unreachable):
            unreachableInARow += 1
        case (.closed, .broken):
            unreachableInARow = 0
            brokenInARow += 1
        }
        guard
            state == .trial || unreachableInARow >= configuration.unreachableInARow
                || brokenInARow + unreachableInARow >= configuration.brokenInARow
        else { return false }
        open(at: now, random: &random)
        return true
    }

    private mutating func open(at now: MonotonicTime, random: inout RandomSource) {
        if state == .closed, ejections > 0, now - returnedAt >= configuration.longestEjection {
            ejections = 0
        }
        ejections = min(ejections + 1, 32)
        let doubled =
            configuration.baseEjection.seconds * Mathematics.pow(2, Double(ejections - 1))
        let bounded = min(doubled, configuration.longestEjection.seconds)
        let spread = 0.9 + 0.2 * random.nextUnit()
        state = .open(until: now + TimeSpan(seconds: bounded * spread))
        brokenInARow = 0
        unreachableInARow = 0
    }
}
