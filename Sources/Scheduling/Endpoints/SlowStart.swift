import InferenceTypes

/// Lets an endpoint that returned take up load little by little, so that it is not stampeded.
///
/// Its limit is multiplied by a factor that rises in a straight line from `initial` to 1 over
/// `ramp`. With 0.1 and 20 s: 0.1 at once, 0.55 after 10 s, 1 after 20 s.
public struct SlowStart: Hashable, Sendable {
    public struct Configuration: Hashable, Sendable {
        public var initial = 0.1
        public var ramp = TimeSpan.seconds(20)

        public init() {}
        public static let defaults = Configuration()
    }

    private var start: MonotonicTime?
    private let configuration: Configuration

    public init(_ configuration: Configuration = .defaults) {
        self.configuration = configuration
    }

    public mutating func begin(at now: MonotonicTime) { start = now }

    /// When the factor is 1 again; `nil` if it never was less.
    public var end: MonotonicTime? { start.map { $0 + configuration.ramp } }

    /// True once the factor is 1 again, or if it never was less.
    public func isOver(at now: MonotonicTime) -> Bool { factor(at: now) >= 1 }

    public func factor(at now: MonotonicTime) -> Double {
        guard let start, configuration.ramp > .zero else { return 1 }
        let share = (now - start).seconds / configuration.ramp.seconds
        return min(configuration.initial + (1 - configuration.initial) * max(share, 0), 1)
    }
}
