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
    var trace: [String] = []

    @Option(
        help: """
            NAME:COUNT of a profile, with :ENGINE behind it if that is not vllm, and :MODEL behind \
            that if it does not serve model 0.
            """)
    var pool: [PoolArgument] = []

    @Option(
        help: """
            A routing policy; planned: energy_aware with a planner that lets endpoints sleep; \
            or baselines: subsets (every static subset under least_requests), gpu_only, \
            length_threshold and autoscaler (with a grid of settings each), or one of that \
            grid as autoscaler:TARGET:SECONDS[:SPARE]; bulk_as_others (energy_aware with \
            bulk as no filler); without_affinity (energy_aware blind to prefix caches). \
            Otherwise least_requests and energy_aware.
            """)
    var policy: [String] = []

    @OptionGroup var journal: ReplayOptions

    @Option(help: "Plays the traces so many times as fast.")
    var speed = 1.0

    @Option(help: "Seconds to play, after speeding up.")
    var seconds = 1_800.0

    @Option(help: "So many runs of each policy, with seeds from 1.")
    var seeds = 1

    @Option(help: "Arrivals move by up to this to either side, by the seed.")
    var jitterMilliseconds = 0.0

    @OptionGroup var learning: LearningOptions

    @OptionGroup var tide: TideOptions

    @OptionGroup var mix: MixOptions

    @OptionGroup var sessions: SessionOptions

    @Option(help: "POOL=FACTOR: all watts of the pool are divided by it. PROFILE is POOL.")
    var efficiency: [EfficiencyArgument] = []

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
        guard siteWatts.map({ $0 >= 1 && $0 <= 1e9 }) ?? true else {
            throw ValidationError("--site-watts is 1 or more")
        }
        if journal.replay != nil {
            guard trace.isEmpty, pool.isEmpty else {
                throw ValidationError("--replay brings its own requests and pools")
            }
            return
        }
        guard !trace.isEmpty, !pool.isEmpty else {
            throw ValidationError("at least one --trace and one --pool, or --replay")
        }
    }

    /// Those asked for, or two to compare.
    private var policies: [String] {
        policy.isEmpty ? ["least_requests", "energy_aware"] : policy
    }

    func run() throws {
        if let file = journal.replay {
            if policy.isEmpty { return try journal.check(file, json: json) }
            return try compare(with: file)
        }
        let directories = ProfileDirectories(configurationFolder: ".")
        let pools = SimulatedFleet(
            pools: try pool.map { argument in
                let factor = efficiency.last { $0.pool == argument.profile }?.factor ?? 1
                return try argument.pool(directories, efficiency: factor)
            })
        let traces = try trace.map { ($0, try TraceFile.load(path: $0)) }
        let directors = try directors(of: pools)
        if let breakEven {
            try printBreakEven(
                of: breakEven, pools, try workload(traces, on: pools, seed: 1))
            return
        }
        var progress = SimulationProgress(total: directors.count * seeds)
        var picture: ComparisonPlot?
        if !json { print(Self.heading) }
        for seed in 1...UInt64(seeds) {
            let fleet = learning.fleet(pools, seed: seed)
            let workload =
                tide.tides
                ? tide.workload(traces.map { ($0.0, $0.1) }, on: pools, seed: seed)
                : try workload(traces, on: pools, seed: seed)
            let least = try bound?.megajoules(workload, on: fleet, sleeps: sleeps)
            picture = picture ?? plot.map { _ in ComparisonPlot(bound: least) }
            for director in directors {
                progress.next(director.name)
                let begun = ContinuousClock.now
                let record = Simulator(
                    workload: workload, fleet: fleet, director: director, seed: seed,
                    metering: learning.metering
                ).run(until: workload.horizon)
                let taken = ContinuousClock.now - begun
                picture?.add(record, services: workload.services)
                var row = ComparisonRow(
                    record, services: workload.services, seed: seed,
                    limit: siteWatts.map { Watts($0) }, bound: least)
                row.decisionsPerSecond = Double(record.decisions) / max(taken / .seconds(1), 1e-9)
                try show(record, workload.services, row)
            }
        }
        progress.end()
        if let plot, let picture {
            try Data(picture.svg.utf8).write(to: URL(fileURLWithPath: plot))
        }
    }

    /// True if some policy lets endpoints sleep: what idles may then cost as little as that.
    private var sleeps: Bool {
        policies.contains { $0 == "planned" || $0 == "autoscaler" }
    }

    private func workload(
        _ traces: [(String, [TraceRow])], on fleet: SimulatedFleet, seed: UInt64
    ) throws -> Workload {
        if let workload = sessions.workload(traces.flatMap(\.1), seconds, seed: seed) {
            return workload
        }
        var workload = try mix.workload(
            traces, on: fleet, speed: speed, seconds: seconds, seed: seed)
        var random = RandomSource(seed: seed)
        workload.jitter(TimeSpan(seconds: jitterMilliseconds / 1_000), random: &random)
        return workload
    }

    func directors(of fleet: SimulatedFleet) throws -> [Director] {
        try policies.flatMap { name -> [Director] in
            if name == "subsets" {
                let count = fleet.pools.reduce(1.0) { $0 * Double($1.count + 1) }
                guard count <= 5_000 else {
                    throw ValidationError("subsets: \(count) are too many, at most 5000")
                }
                return Director.allStaticSubsets(of: fleet)
            }
            if let directors = directors(named: name, of: fleet) { return directors }
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

    static let heading =
        "policy                                seed      MJ  above idle   J/token      kept"
        + "   TTFT p50, p99 ms    ITL p50, p99 ms  attribution p95  prediction p50  power error"
        + "  decisions/s"

    func show(
        _ record: RunRecord, _ services: [Workload.Service], _ comparison: ComparisonRow
    ) throws {
        var row = comparison
        if mix.mix != nil { row.services = ServiceRow.rows(record, services) }
        if sessions.sessions != nil { row.cachedShare = record.cachedShare }
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
                    + "%15.2f%% %14.1f%% %10.2f%% %12.0f",
                name, Int(row.seed), row.megajoules, row.megajoulesAboveIdle,
                row.joulesPerOutputToken, row.attainment * 100, row.ttftMillisecondsP50,
                row.ttftMillisecondsP99, row.itlMillisecondsP50, row.itlMillisecondsP99,
                row.attributionErrorP95 * 100, row.predictionErrorP50 * 100,
                row.powerError * 100, row.decisionsPerSecond ?? 0)
                + boundColumn(row) + limitColumns(row) + cachedColumn(row))
        if mix.mix != nil { mix.show(record, services) }
    }

    private func boundColumn(_ row: ComparisonRow) -> String {
        row.aboveBound.map { String(format: "  %+.1f%% over the bound", $0 * 100) } ?? ""
    }

    private func cachedColumn(_ row: ComparisonRow) -> String {
        row.cachedShare.map { String(format: "  %.1f%% cached", $0 * 100) } ?? ""
    }

    private func limitColumns(_ row: ComparisonRow) -> String {
        guard siteWatts != nil else { return "" }
        return String(
            format: "  %7.0f tokens/s, %5.0f W, peak %5.0f W, above limit for %.2f s",
            row.outputTokensPerSecond, row.meanWatts, row.peakWatts, row.secondsAboveLimit ?? 0)
    }
}

/// `h100-llama-3.1-8b:6`, `npu-assumed-8b:6:vllm-rbln` or `h100x4-llama-3.3-70b:2:vllm:1`, the last
/// being the number of the model that it serves, 0 if left out.
struct PoolArgument: ExpressibleByArgument {
    var profile: String
    var count: Int
    var engine: EngineKind
    var model = 0

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...4).contains(parts.count), let count = Int(parts[1]),
            (1...1_000).contains(count),
            let engine = parts.count == 2 ? .vllm : EngineKind(rawValue: String(parts[2]))
        else { return nil }
        profile = String(parts[0])
        self.count = count
        self.engine = engine
        if parts.count == 4 {
            guard let number = Int(parts[3]), (0..<64).contains(number) else { return nil }
            model = number
        }
    }

    func pool(
        _ source: ProfileDirectories, efficiency: Double
    ) throws -> SimulatedFleet.Pool {
        let profile = try source.profile(named: profile).drawing(1 / efficiency)
        return SimulatedFleet.Pool(
            name: profile.name, engine: engine, profile: profile, count: count,
            models: [ModelID(model)])
    }
}
