import ArgumentParser
import Foundation
import InferenceTypes
import Simulation

/// `npu-assumed-8b=2`: a pool of half the watts.
struct EfficiencyArgument: ExpressibleByArgument {
    var pool: String
    var factor: Double

    init?(argument: String) {
        guard let sign = argument.lastIndex(of: "="),
            let factor = Double(argument[argument.index(after: sign)...]), factor.isFinite,
            factor > 0
        else { return nil }
        pool = String(argument[..<sign])
        self.factor = factor
    }
}

/// A day of tides instead of the recorded load.
struct TideOptions: ParsableArguments {
    @Flag(help: "Let the load rise and fall, with a crowd in it, instead of playing as recorded.")
    var tides = false

    @Option(help: "Low tide, as a share of what the fleet can carry.")
    var tideLow = 0.1

    @Option(help: "High tide.")
    var tideHigh = 0.9

    @Option(help: "From one low tide to the next.")
    var tideSeconds = 7_200.0

    @Option(help: "So many tides.")
    var tideCount = 1

    @Option(help: "Requests per second at a share of 1; otherwise from the fleet's profiles.")
    var tideCapacity: Double?

    @Option(help: "When a crowd comes, as a share of the first tide.")
    var crowdAt = 0.15

    @Option(help: "By how much it multiplies the load; 1: no crowd.")
    var crowdFactor = 3.0

    @Option(help: "How long it stays, its coming and going in 10 s each included.")
    var crowdSeconds = 120.0

    func validate() throws {
        guard tideLow >= 0, tideHigh >= tideLow, tideHigh <= 10 else {
            throw ValidationError("--tide-low and --tide-high: 0 <= low <= high <= 10")
        }
        guard tideSeconds >= 1, tideSeconds * Double(tideCount) < 1e6, tideCount > 0 else {
            throw ValidationError("--tide-seconds, --tide-count: a million seconds at most")
        }
        guard (0...1e6).contains(tideCapacity ?? 0), (0...1_000).contains(crowdFactor),
            (0...1e6).contains(crowdSeconds), (0...1e6).contains(crowdAt)
        else { throw ValidationError("--tide-capacity and --crowd options: 0 or more") }
    }

    func workload(
        _ traces: [(String, [TraceRow])], on fleet: SimulatedFleet, seed: UInt64
    ) -> Workload {
        let period = TimeSpan(seconds: tideSeconds)
        let crowd = Tides.Crowd(
            start: TimeSpan(seconds: crowdAt * tideSeconds), factor: crowdFactor,
            rise: .seconds(10), length: TimeSpan(seconds: crowdSeconds))
        let tides = Tides(low: tideLow, high: tideHigh, period: period, crowd: crowd)
        var random = RandomSource(seed: seed)
        var workload = Workload()
        for (tenant, (path, rows)) in traces.enumerated() {
            let service = Workload.Service(name: path, tenant: TenantID(tenant))
            let whole =
                tideCapacity ?? fleet.capacity(for: rows, objective: service.objective)
            workload.add(
                service, rows: rows, tides: tides, rate: whole / Double(traces.count),
                length: TimeSpan(seconds: tideSeconds * Double(tideCount)), random: &random)
        }
        return workload
    }
}

extension Simulate {
    /// Rows that are more than a routing policy; `nil`: no such name.
    func directors(named name: String, of fleet: SimulatedFleet) -> [Director]? {
        switch name {
        case "planned": return [.planned()]
        case "without_affinity": return [.withoutAffinity]
        case "bulk_as_others": return [.bulkAsOthers]
        case "autoscaler": return Director.autoscalers
        case "gpu_only": return [.gpuOnly(of: fleet)]
        case "length_threshold": return Director.lengthThresholds
        default: break
        }
        let parts = name.split(separator: ":").dropFirst().compactMap { Double($0) }
        guard name.hasPrefix("autoscaler:"), (2...3).contains(parts.count),
            parts.allSatisfy({ (0...1e6).contains($0) })
        else { return nil }
        return [
            .autoscaled(
                ReactiveAutoscaler(
                    target: parts[0], coolDown: TimeSpan(seconds: parts[1]),
                    spare: parts.count > 2 ? Int(parts[2]) : 0))
        ]
    }

    func printBreakEven(
        of name: String, _ fleet: SimulatedFleet, _ workload: Workload
    ) throws {
        guard let index = pool.firstIndex(where: { $0.profile == name }), fleet.pools.count > 1
        else { throw ValidationError("--break-even names the profile of one of several pools") }
        let point = BreakEven.find(pool: index, of: fleet, workload: workload, seed: 1)
        print(
            String(
                format: "%@ makes %.1f %% of the tokens from efficiency x%.3f on: %.4f J/token "
                    + "above idle there, %.4f elsewhere, %.3f MJ in all",
                name, point.share * 100, point.efficiency, point.poolEnergyPerToken,
                point.otherEnergyPerToken, point.total.value / 1e6))
    }
}
