import ArgumentParser
import Configuration
import Foundation
import InferenceTypes
import Simulation

/// Plays traces against an emulated fleet in virtual time.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare routing policies on a recorded trace: energy and promises kept.",
        discussion: """
            The scheduler is the gateway's own, the engines are emulated; every joule is modelled. \
            A promise is kept with the first token within 1 s and a mean gap of at most 60 ms.
            """)

    @Option(
        help: "CSV with TIMESTAMP, ContextTokens, GeneratedTokens; several are merged.",
        completion: .file(extensions: ["csv"]))
    var trace: [String]

    @Option(help: "NAME:COUNT of a profile, with :ENGINE behind it if that is not vllm.")
    var pool: [PoolArgument]

    @Option(
        help: """
            A routing policy; planned: energy_aware with a planner that lets endpoints sleep; \
            or baselines: subsets (every static subset under least_requests), gpu_only, \
            length_threshold and autoscaler (with a grid of settings each).
            """)
    var policy = ["least_requests", "energy_aware"]

    @Option(help: "Plays the traces so many times as fast.")
    var speed = 1.0

    @Option(help: "Seconds to play, after speeding up.")
    var seconds = 1_800.0

    @Option(help: "So many runs of each policy, with seeds from 1.")
    var seeds = 1

    @Option(help: "Arrivals move by up to this to either side, by the seed.")
    var jitterMilliseconds = 0.0

    @OptionGroup var tide: TideOptions

    @Option(help: "POOL=FACTOR: all watts of the pool are divided by it. PROFILE is POOL.")
    var efficiency: [EfficiencyArgument] = []

    @Flag(help: "Learn from the meters and from the streams.")
    var learn = false

    @Option(help: "Seconds between two readings of an endpoint's meter.")
    var meterSeconds = 5.0

    @Option(help: "Relative standard deviation of a meter window.")
    var meterNoise = 0.0

    @Option(help: "Share of meter readings that get lost, 0 to 1.")
    var meterLoss = 0.0

    @Option(help: "TIME:POWER:IDLE, factors by which the profiles are wrong; the truth stays.")
    var belief: BeliefArgument?

    @Option(help: "The truth of every endpoint is off its profile by up to this share, by seed.")
    var perturb = 0.0

    @Option(help: "PROFILE: prints the efficiency from which half of the tokens go to its pool.")
    var breakEven: String?

    @Option(help: "Power limit of all pools; adds policies uniform_limit and board_limit.")
    var siteWatts: Double?

    @Option(help: "Lower bound in MJ, or a program that computes it (loadtest/bound).")
    var bound: LowerBound?

    @Option(help: "SVG file to draw the first run of each policy into.")
    var plot: String?

    @Flag(help: "Print one JSON object per run instead of a table.")
    var json = false

    func validate() throws {
        guard speed > 0, speed.isFinite else { throw ValidationError("--speed is above 0") }
        guard seconds > 0, seconds < 1e8 else { throw ValidationError("--seconds is above 0") }
        guard (1...1_000).contains(seeds) else { throw ValidationError("--seeds is 1 to 1000") }
        guard jitterMilliseconds >= 0, jitterMilliseconds < 1e6 else {
            throw ValidationError("--jitter-milliseconds is 0 or more")
        }
        guard meterSeconds >= 0.2, meterSeconds < 1e6, (0..<1).contains(meterNoise),
            (0..<1).contains(meterLoss), (0..<0.9).contains(perturb)
        else {
            throw ValidationError("--meter-seconds is 0.2 or more, shares are 0 to 1")
        }
        guard siteWatts.map({ $0 >= 1 && $0 <= 1e9 }) ?? true else {
            throw ValidationError("--site-watts is 1 or more")
        }
        guard !trace.isEmpty, !pool.isEmpty else {
            throw ValidationError("at least one --trace and one --pool")
        }
    }

    func run() throws {
        let directories = ProfileDirectories(configurationFolder: ".")
        let pools = SimulatedFleet(
            pools: try pool.map { argument in
                let factor = efficiency.last { $0.pool == argument.profile }?.factor ?? 1
                return try argument.pool(directories, efficiency: factor)
            })
        let traces = try trace.map { ($0, try TraceFile.load(path: $0)) }
        let directors = try directors(of: pools)
        if let breakEven {
            try printBreakEven(of: breakEven, pools, workload(traces, seed: 1))
            return
        }
        var progress = SimulationProgress(total: directors.count * seeds)
        var picture: ComparisonPlot?
        if !json { print(Self.heading) }
        for seed in 1...UInt64(seeds) {
            let fleet = self.fleet(pools, seed: seed)
            let workload =
                tide.tides
                ? tide.workload(traces.map { ($0.0, $0.1) }, on: fleet, seed: seed)
                : workload(traces, seed: seed)
            let least = try bound?.megajoules(workload, on: fleet, sleeps: sleeps)
            picture = picture ?? plot.map { _ in ComparisonPlot(bound: least) }
            for director in directors {
                progress.next(director.name)
                let record = Simulator(
                    workload: workload, fleet: fleet, director: director, seed: seed,
                    metering: metering
                ).run(until: workload.horizon)
                picture?.add(record, services: workload.services)
                try show(
                    ComparisonRow(
                        record, services: workload.services, seed: seed,
                        limit: siteWatts.map { Watts($0) }, bound: least))
            }
        }
        progress.end()
        if let plot, let picture {
            try Data(picture.svg.utf8).write(to: URL(fileURLWithPath: plot))
        }
    }

    /// True if some policy lets endpoints sleep: what idles may then cost as little as that.
    private var sleeps: Bool {
        policy.contains { $0 == "planned" || $0 == "autoscaler" }
    }

    private var metering: SimulatedMetering {
        var metering = SimulatedMetering()
        metering.interval = TimeSpan(seconds: meterSeconds)
        metering.noise = meterNoise
        metering.lost = meterLoss
        metering.learns = learn
        return metering
    }

    private func fleet(_ pools: SimulatedFleet, seed: UInt64) -> SimulatedFleet {
        var fleet = pools
        if let belief {
            fleet = fleet.believed(time: belief.time, power: belief.power, idle: belief.idle)
        }
        guard perturb > 0 else { return fleet }
        var random = RandomSource(seed: seed &+ 0x7075_7274)
        return fleet.perturbed(by: perturb, random: &random)
    }

    private func workload(_ traces: [(String, [TraceRow])], seed: UInt64) -> Workload {
        var workload = Workload()
        for (tenant, (path, rows)) in traces.enumerated() {
            workload.add(
                .init(name: path, tenant: TenantID(tenant)), rows: rows, speed: speed,
                length: TimeSpan(seconds: seconds))
        }
        var random = RandomSource(seed: seed)
        workload.jitter(TimeSpan(seconds: jitterMilliseconds / 1_000), random: &random)
        return workload
    }

    private func directors(of fleet: SimulatedFleet) throws -> [Director] {
        try policy.flatMap { name -> [Director] in
            if name == "subsets" {
                let count = fleet.pools.reduce(1.0) { $0 * Double($1.count + 1) }
                guard count <= 5_000 else {
                    throw ValidationError("subsets: \(count) are too many, at most 5000")
                }
                return Director.allStaticSubsets(of: fleet)
            }
            switch name {
            case "planned": return [Director.planned()]
            case "autoscaler": return Director.autoscalers
            case "gpu_only": return [Director.gpuOnly(of: fleet)]
            case "length_threshold": return Director.lengthThresholds
            default: break
            }
            if let site = siteWatts, let limited = limited(name, Watts(site), of: fleet) {
                return [limited]
            }
            guard let policy = RoutingPolicy(name: name) else {
                let names = RoutingPolicy.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError(
                    "--policy is one of \(names), planned, subsets, gpu_only, "
                        + "length_threshold, autoscaler")
            }
            let director = Director(name: policy.rawValue, policy: policy)
            return [siteWatts.map { director.limited(to: .init(site: Watts($0))) } ?? director]
        }
    }

    /// Ways to keep a limit that are none of ours.
    private func limited(_ name: String, _ site: Watts, of fleet: SimulatedFleet) -> Director? {
        switch name {
        case "uniform_limit": .uniformLimit(site, of: fleet)
        case "board_limit": .boardLimit(site, of: fleet)
        default: nil
        }
    }

    private static let heading =
        "policy                                seed      MJ  above idle   J/token      kept"
        + "   TTFT p50, p99 ms    ITL p50, p99 ms  attribution p95  prediction p50  power error"

    private func show(_ row: ComparisonRow) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(row), as: UTF8.self))
            return
        }
        let name = row.policy.padding(
            toLength: max(36, row.policy.count), withPad: " ", startingAt: 0)
        print(
            String(
                format: "%@ %5d %7.3f %11.3f %9.4f %8.2f%% %9.0f %8.0f %10.1f %7.1f "
                    + "%15.2f%% %14.1f%% %10.2f%%",
                name, Int(row.seed), row.megajoules, row.megajoulesAboveIdle,
                row.joulesPerOutputToken, row.attainment * 100, row.ttftMillisecondsP50,
                row.ttftMillisecondsP99, row.itlMillisecondsP50, row.itlMillisecondsP99,
                row.attributionErrorP95 * 100, row.predictionErrorP50 * 100,
                row.powerError * 100)
                + boundColumn(row) + limitColumns(row))
    }

    private func boundColumn(_ row: ComparisonRow) -> String {
        row.aboveBound.map { String(format: "  %+.1f%% over the bound", $0 * 100) } ?? ""
    }

    private func limitColumns(_ row: ComparisonRow) -> String {
        guard siteWatts != nil else { return "" }
        return String(
            format: "  %7.0f tokens/s, %5.0f W, peak %5.0f W, above limit for %.2f s",
            row.outputTokensPerSecond, row.meanWatts, row.peakWatts, row.secondsAboveLimit ?? 0)
    }
}

/// `1.5:0.5:2`
struct BeliefArgument: ExpressibleByArgument {
    var time: Double
    var power: Double
    var idle: Double

    init?(argument: String) {
        let parts = argument.split(separator: ":").compactMap { Double($0) }
        guard parts.count == 3, parts.allSatisfy({ (0.05...20).contains($0) }) else { return nil }
        (time, power, idle) = (parts[0], parts[1], parts[2])
    }
}

/// `h100-llama-3.1-8b:6` or `npu-assumed-8b:6:vllm-rbln`.
struct PoolArgument: ExpressibleByArgument {
    var profile: String
    var count: Int
    var engine: EngineKind

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), let count = Int(parts[1]),
            (1...1_000).contains(count),
            let engine = parts.count == 2 ? .vllm : EngineKind(rawValue: String(parts[2]))
        else { return nil }
        profile = String(parts[0])
        self.count = count
        self.engine = engine
    }

    func pool(
        _ source: ProfileDirectories, efficiency: Double
    ) throws -> SimulatedFleet.Pool {
        let profile = try source.profile(named: profile).drawing(1 / efficiency)
        return SimulatedFleet.Pool(
            name: profile.name, engine: engine, profile: profile, count: count)
    }
}
