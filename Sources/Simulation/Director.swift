import InferenceTypes
import Scheduling

/// One row of a comparison: the routing policy, and what is done to the fleet around it.
public struct Director: Sendable {
    public var name: String
    public var policy: RoutingPolicy
    /// Endpoints that get no requests.
    public var closed: [Int]
    /// Last changes to the scheduler's configuration.
    public var adjust: @Sendable (inout Scheduler.Configuration) -> Void
    /// Last changes to the fleet.
    public var adjustFleet: @Sendable (inout SimulatedFleet) -> Void = { _ in }

    public init(
        name: String, policy: RoutingPolicy, closed: [Int] = [],
        adjust: @escaping @Sendable (inout Scheduler.Configuration) -> Void = { _ in }
    ) {
        self.name = name
        self.policy = policy
        self.closed = closed
        self.adjust = adjust
    }

    /// Every choice of so many endpoints of each pool, but none at all.
    public static func allStaticSubsets(of fleet: SimulatedFleet) -> [Director] {
        let counts = fleet.pools.reduce([[]]) { all, pool in
            all.flatMap { head in (0...pool.count).map { head + [$0] } }
        }
        return counts.filter { $0.contains { $0 > 0 } }.map { staticSubset($0, of: fleet) }
    }

    /// Joining the shortest queue on the first so many endpoints of each pool, the others idle:
    /// what an operator who knew the load beforehand would have switched on.
    public static func staticSubset(_ counts: [Int], of fleet: SimulatedFleet) -> Director {
        var closed: [Int] = []
        var start = 0
        for (pool, count) in zip(fleet.pools, counts) {
            closed += (start..<start + pool.count).dropFirst(count)
            start += pool.count
        }
        let words = zip(fleet.pools, counts).filter { $0.1 > 0 }.map { "\($0.1) \($0.0.name)" }
        return Director(
            name: "static " + words.joined(separator: " + "), policy: .leastRequests,
            closed: closed)
    }
}
