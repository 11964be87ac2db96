import InferenceTypes

/// Learns from kept and broken promises how strict the ``ObjectiveGuard`` has to be: as lenient as
/// the promised share allows, since every spare millisecond is a joule.
///
/// Each answer that broke its promise raises the strictness by `step`, each kept one lowers it by
/// `step x m / (1 - m)`. Where it stands still a share `m` of the promises is broken. Worked, m =
/// 0.35 %, step 0.07: one broken promise is forgotten after 285 kept ones.
public struct AttainmentGovernor: Hashable, Sendable {
    public struct Configuration: Hashable, Sendable {
        /// m: the share of promises that may be broken.
        public var missTarget = 0.0035
        public var step = 0.07
        /// Strictness before anything was seen.
        public var start = 0.3

        public init() {}
        public static let defaults = Configuration()
    }

    private(set) var strictness: Double
    private let rise: Double
    private let fall: Double

    init(_ configuration: Configuration = Configuration()) {
        strictness = configuration.start
        rise = configuration.step
        let target = min(max(configuration.missTarget, 1e-6), 0.5)
        fall = configuration.step * target / (1 - target)
    }

    mutating func observe(met: Bool) {
        strictness = min(max(strictness + (met ? -fall : rise), 0), 1)
    }
}
