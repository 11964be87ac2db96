import InferenceTypes

/// How much power may be drawn as far as placements decide it. Changed while running, see
/// ``Scheduler/Event/setPowerLimits(_:)``.
public struct PowerLimits: Hashable, Sendable {
    /// All endpoints together, at the building's meter; `nil`: no limit.
    public var site: Watts?
    /// By `PoolID`, at the machines; `nil` or beyond the end: no limit.
    public var pools: [Watts?]
    /// Building watts per machine watt, at least 1.
    public var pue: Double
    /// Of what may be drawn above idle, the part that this gateway may place where several share
    /// the fleet: 0 to 1. Placements of the others are seen by scrapes only, seconds later.
    public var share: Double

    public init(
        site: Watts? = nil, pools: [Watts?] = [], pue: Double = 1, share: Double = 1
    ) {
        self.site = site
        self.pools = pools
        self.pue = pue >= 1 && pue.isFinite ? pue : 1
        self.share = share >= 0 ? min(share, 1) : 1
    }

    public static let none = PowerLimits()

    public var isNone: Bool { site == nil && pools.allSatisfy { $0 == nil } }
}
