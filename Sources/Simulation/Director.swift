import InferenceTypes
import Scheduling

/// One row of a comparison: the routing policy, and what is done to the fleet around it.
public struct Director: Sendable {
    public var name: String
    public var policy: RoutingPolicy
    /// Endpoints that get no requests.
    public var closed: [Int]
    /// Who switches endpoints on and off.
    public var power = PowerControl.alwaysOn
    /// Prompts of so many tokens at most go to the NPUs and CPUs, longer ones to the GPUs.
    public var lengthThreshold: Int?
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

    /// `energy_aware` on endpoints that a planner lets sleep.
    public static func planned(_ planner: Planner.Configuration = .defaults) -> Director {
        var director = Director(name: "energy_aware, planned", policy: .energyAware)
        director.power = .planner(planner)
        return director
    }

    /// Joining the shortest queue on as many endpoints as an autoscaler keeps on.
    public static func autoscaled(_ autoscaler: ReactiveAutoscaler) -> Director {
        let spare = autoscaler.spare > 0 ? " + \(autoscaler.spare)" : ""
        var director = Director(
            name: "autoscaler \(Int(autoscaler.target))\(spare), "
                + "\(Int(autoscaler.coolDown.seconds)) s",
            policy: .leastRequests
        ) { $0.wakesOnDemand = false }
        director.power = .autoscaler(autoscaler)
        return director
    }

    /// A grid of autoscalers, so that the best in hindsight can be compared with.
    public static var autoscalers: [Director] {
        [12.0, 16, 24, 32, 48, 64].flatMap { target in
            [0, 1].flatMap { spare in
                [60, 300].map { seconds in
                    autoscaled(
                        ReactiveAutoscaler(
                            target: target, coolDown: .seconds(seconds), spare: spare))
                }
            }
        }
    }

    /// The shortest queue among the GPUs.
    public static func gpuOnly(of fleet: SimulatedFleet) -> Director {
        let counts = fleet.pools.map { $0.accelerator == .gpu ? $0.count : 0 }
        var director = staticSubset(counts, of: fleet)
        director.name = "gpu_only"
        return director
    }

    /// Short prompts to the small accelerators, long ones to the GPUs, each to the shortest
    /// queue: the rule of Wilkins et al., with every threshold of a grid.
    public static var lengthThresholds: [Director] {
        [64, 128, 256, 512, 1_024, 1_536, 2_048, 4_096].map { tokens in
            var director = Director(name: "length_threshold \(tokens)", policy: .leastRequests)
            director.lengthThreshold = tokens
            return director
        }
    }

    /// `energy_aware` with bulk that is no filler: it waits its turn like everybody.
    public static var bulkAsOthers: Director {
        Director(name: "bulk as others", policy: .energyAware) { $0.filler.isOn = false }
    }

    /// `energy_aware` that asks nobody what they have in their caches.
    public static var withoutAffinity: Director {
        Director(name: "energy_aware, no affinity", policy: .energyAware) {
            $0.affinity.isOn = false
        }
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

/// Who decides which endpoints are on.
public enum PowerControl: Sendable {
    /// Nobody: all of them are.
    case alwaysOn
    case planner(Planner.Configuration)
    case autoscaler(ReactiveAutoscaler)
}
