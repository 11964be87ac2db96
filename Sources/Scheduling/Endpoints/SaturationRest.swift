import InferenceTypes

/// The pause that an endpoint gets after it said "too much" (503 queue full, 429).
///
/// It lasts what the server asked for in `Retry-After`, a minute at most, or else
/// `shortest x 2^(n-1)` for the n-th such answer in a row: 0.25, 0.5, 1, 2, 4, 5, 5 s. An answer
/// that goes through ends the row. It is no ejection: nothing is broken.
public struct SaturationRest: Hashable, Sendable {
    public struct Configuration: Hashable, Sendable {
        public var shortest = TimeSpan.milliseconds(250)
        public var longest = TimeSpan.seconds(5)
        /// Bound on what a server may ask for.
        public var longestAskedFor = TimeSpan.seconds(60)

        public init() {}
        public static let defaults = Configuration()
    }

    /// No requests before then.
    public private(set) var until = MonotonicTime(nanoseconds: .min)
    private var inARow = 0
    private let configuration: Configuration

    public init(_ configuration: Configuration = .defaults) {
        self.configuration = configuration
    }

    public func isOver(at now: MonotonicTime) -> Bool { now >= until }

    public mutating func saturated(retryAfter: TimeSpan?, at now: MonotonicTime) {
        // Requests that were out together come back together: one pause, counted once.
        if !isOver(at: now), retryAfter == nil { return }
        inARow = min(inARow + 1, 16)
        let doubled =
            configuration.shortest.seconds * Mathematics.pow(2, Double(inARow - 1))
        let own = min(TimeSpan(seconds: doubled), configuration.longest)
        let asked = retryAfter.map { min($0, configuration.longestAskedFor) }
        let pause = max(asked ?? own, configuration.shortest)
        until = max(until, now + pause)
    }

    public mutating func answered() { inARow = 0 }
}
