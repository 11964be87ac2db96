import ArgumentParser
import Foundation
import InferenceTypes
import Simulation

/// `--bound 1.763`: megajoules; or the path of a program like `loadtest/bound` that computes them.
enum LowerBound: ExpressibleByArgument {
    case megajoules(Double)
    case program(String)

    init?(argument: String) {
        if let number = Double(argument) {
            guard number > 0, number.isFinite else { return nil }
            self = .megajoules(number)
        } else {
            self = .program(argument)
        }
    }

    /// MJ for this workload on this fleet. The program is given both as files, as they are played:
    /// moved, multiplied, with the watts that `--efficiency` makes of a profile.
    func megajoules(_ workload: Workload, on fleet: SimulatedFleet, sleeps: Bool) throws -> Double {
        switch self {
        case .megajoules(let number): return number
        case .program(let path):
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("joulegate-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            return try Self.run(
                path, Self.arguments(workload, fleet, in: folder) + (sleeps ? ["--sleep"] : []))
        }
    }

    private static func arguments(
        _ workload: Workload, _ fleet: SimulatedFleet, in folder: URL
    ) throws -> [String] {
        let objectives = Set(workload.services.map(\.objective))
        guard objectives.count == 1, let promise = objectives.first,
            let first = promise.timeToFirstToken, let pace = promise.interTokenLatency,
            Set(workload.services.map(\.model)).count == 1
        else {
            throw ValidationError("--bound needs one model and one promise for all services")
        }
        let trace = folder.appendingPathComponent("trace.csv")
        try Data(workload.trace.utf8).write(to: trace)
        var arguments = [
            "--trace", trace.path, "--seconds", "1e12", "--ttft", "\(first.seconds)",
            "--itl", "\(pace.seconds)",
        ]
        for (index, pool) in fleet.pools.enumerated() {
            let file = folder.appendingPathComponent("\(index).json")
            let data = try JSONSerialization.data(withJSONObject: pool.truth.figures)
            try data.write(to: file)
            arguments += ["--pool", "\(file.path):\(pool.count)"]
        }
        return arguments
    }

    private static func run(_ path: String, _ arguments: [String]) throws -> Double {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        do { try process.run() } catch {
            throw ValidationError("--bound: \(path) cannot be run")
        }
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let object = try? JSONSerialization.jsonObject(with: output) as? [String: Any]
        guard process.terminationStatus == 0, let joules = object?["joules"] as? Double else {
            throw ValidationError("--bound: \(path) gave no joules")
        }
        return joules / 1e6
    }
}

extension Workload {
    /// As a trace file, from the first of January 2000 on.
    fileprivate var trace: String {
        var text = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        for arrival in arrivals {
            let nanoseconds = max(arrival.at.nanoseconds, 0)
            let seconds = nanoseconds / 1_000_000_000
            let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
            text += String(
                format: "2000-01-%02d %02d:%02d:%02d.%09d,%d,%d\n", Int(days) + 1,
                Int(rest / 3_600), Int(rest / 60 % 60), Int(rest % 60),
                Int(nanoseconds % 1_000_000_000), arrival.inputTokens, arrival.outputTokens)
        }
        return text
    }
}

extension Profile {
    /// The keys of a profile's file that a lower bound needs.
    fileprivate var figures: [String: Any] {
        [
            "name": name, "idle_watts": idlePower.value, "sleep_watts": sleepPower.value,
            "max_batch": maxBatch, "decode_buckets": decodeBuckets,
            "prefill": [
                "tokens_per_second": prefillTokensPerSecond, "watts": prefillPower.value,
            ],
            "knots": knots.map {
                [
                    "batch": $0.batch, "iteration_seconds": $0.iterationTime.seconds,
                    "watts": $0.power.value,
                ]
            },
        ]
    }
}
