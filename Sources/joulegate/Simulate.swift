import ArgumentParser
import Configuration
import Foundation
import InferenceTypes
import Simulation

/// Plays a trace against an emulated fleet in virtual time.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare routing policies on a recorded trace: energy and promises kept.")

    @Option(help: "A CSV trace; several are merged, each a service of its own.")
    var trace: [String]

    @Option(help: "A profile and how many endpoints: NAME:COUNT. The engine follows the name.")
    var pool: [String]

    @Option(help: "A policy, or subsets for every static subset; several may be given.")
    var policy: [String] = ["least_requests", "energy_aware"]

    @Option(help: "Plays the trace so many times as fast.")
    var speed = 1.0

    @Option(help: "Seconds of the trace, after speeding up.")
    var seconds = 1_800.0

    @Option(help: "So many runs with other seeds.")
    var seeds = 1

    @Option(help: "Arrivals move by up to this to either side.")
    var jitterMilliseconds = 0.0

    func run() throws {
        let directories = ProfileDirectories(configurationFolder: ".")
        let fleet = SimulatedFleet(
            pools: try pool.map { text in
                let parts = text.split(separator: ":")
                guard parts.count == 2, let count = Int(parts[1]) else {
                    throw ValidationError("--pool is NAME:COUNT")
                }
                let profile = try directories.profile(named: String(parts[0]))
                let isNPU = profile.name.hasPrefix("npu")
                return SimulatedFleet.Pool(
                    name: profile.name, engine: isNPU ? .vllmRBLN : .vllm, profile: profile,
                    count: count)
            })
        let traces = try trace.map { ($0, try TraceFile.load(path: $0)) }
        for seed in 1...max(seeds, 1) {
            var workload = Workload()
            for (number, (path, rows)) in traces.enumerated() {
                workload.add(
                    .init(name: path, tenant: TenantID(number)), rows: rows, speed: speed,
                    length: TimeSpan(seconds: seconds))
            }
            var random = RandomSource(seed: UInt64(seed))
            workload.jitter(TimeSpan(seconds: jitterMilliseconds / 1_000), random: &random)
            let ends = workload.arrivals.map { $0.at.seconds + 1 + Double($0.outputTokens) * 0.06 }
            let windows = (ends.max() ?? 0) / 5
            let horizon = MonotonicTime.zero + TimeSpan(seconds: 5 * (windows.rounded(.down) + 1))
            for director in try directors(fleet) {
                let began = Date()
                let record = Simulator(
                    workload: workload, fleet: fleet, director: director, seed: UInt64(seed)
                ).run(until: horizon)
                let took = Date().timeIntervalSince(began)
                report(record, workload, took)
            }
        }
    }

    private func directors(_ fleet: SimulatedFleet) throws -> [Director] {
        try policy.flatMap { name -> [Director] in
            if name == "subsets" {
                var counts = [[Int]]()
                counts = fleet.pools.reduce([[]]) { all, pool in
                    all.flatMap { head in (0...pool.count).map { head + [$0] } }
                }
                return counts.filter { $0.reduce(0, +) > 0 }
                    .map { Director.staticSubset($0, of: fleet) }
            }
            guard let policy = RoutingPolicy(name: name) else {
                throw ValidationError("no policy \(name)")
            }
            return [Director(name: name, policy: policy)]
        }
    }

    private func report(_ record: RunRecord, _ workload: Workload, _ took: Double) {
        let ttft = record.timesToFirstToken
        let itl = record.interTokenLatencies
        func ms(_ span: TimeSpan?) -> String { String(format: "%.1f", span?.milliseconds ?? 0) }
        print(
            record.policy.padding(toLength: 34, withPad: " ", startingAt: 0),
            String(format: "%.3f MJ", record.energy.total.value / 1e6),
            String(format: "above %.3f", record.energyAboveIdle.value / 1e6),
            String(format: "pre %.3f", record.energy.prefill.value / 1e6),
            String(format: "%.4f J/tok", record.energyPerOutputToken),
            String(format: "%.2f %%", record.attainment(workload.services) * 100),
            "TTFT", ms(percentile(0.5, of: ttft)), ms(percentile(0.99, of: ttft)),
            "ITL", ms(percentile(0.5, of: itl)), ms(percentile(0.99, of: itl)),
            String(format: "%.0f s in %.2f s", record.length.seconds, took))
    }
}
