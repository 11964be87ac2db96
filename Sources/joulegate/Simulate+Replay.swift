import ArgumentParser
import Foundation
import InferenceTypes
import Simulation

/// A gateway's journal in place of traces and pools.
struct ReplayOptions: ParsableArguments {
    @Option(
        help: """
            A gateway's journal: repeats every decision and checks that it is the same. With \
            --policy its requests are simulated under other policies instead.
            """,
        completion: .file())
    var replay: String?

    /// Exits with 1 at a difference or damage.
    func check(_ file: String, json: Bool) throws {
        let clock = ContinuousClock()
        let start = clock.now
        let report = try ReplayReport(try JournalSource.open(file))
        let took = (clock.now - start) / .seconds(1)
        if json {
            try Simulate.printObject(report)
        } else {
            show(report, seconds: took)
        }
        if !report.isExact { throw ExitCode(1) }
    }

    private func show(_ report: ReplayReport, seconds: Double) {
        print(
            String(
                format: "%d events, %d requests, %d decisions in %.1f s of the gateway, "
                    + "%.0f bytes per request; replayed in %.2f s, %.0f decisions per second",
                report.events, report.requests, report.decisions, report.seconds,
                Double(report.bytes) / Double(max(report.requests, 1)), seconds,
                Double(report.decisions) / max(seconds, 1e-9)))
        print(
            "policy \(report.policy), gateway \(report.gatewayVersion), "
                + "\(report.completed) completed, \(report.cancelled) cancelled, "
                + "\(report.failed) failed")
        for row in report.placed {
            print(
                String(
                    format: "  %@ %@: %d placed, %d of them again, %.3f kJ predicted",
                    row.pool, row.endpoint, row.placements, row.retries,
                    row.predictedJoules / 1_000))
        }
        for (reason, count) in report.rejections.sorted(by: { $0.key < $1.key }) {
            print("  \(reason): \(count)")
        }
        showEnd(report)
    }

    private func showEnd(_ report: ReplayReport) {
        switch report.end {
        case "full": print("the journal ends where its file had the size it may have")
        case "gap": print("the journal ends where the disk was too slow")
        case "cut": print("the journal was cut off; all that was whole is replayed")
        default: break
        }
        if let difference = report.divergence {
            print(
                String(
                    format: "DIFFERENT at event %d (%@), %.6f s after the start",
                    difference.event, difference.kind, difference.seconds))
            print("  expected: \(difference.expected)")
            print("  actual:   \(difference.actual)")
            for action in difference.actions { print("    \(action)") }
        } else if let damage = report.damage {
            print("DAMAGED at \(damage); everything before it is the same")
        } else {
            print("the same actions to the last bit")
        }
    }
}

extension Simulate {
    static func printObject(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// A journal's requests under its own policy and those asked for.
    func compare(with file: String) throws {
        let journal = try JournalWorkload(try JournalSource.open(file))
        let left = journal.withoutTokens + journal.unknown
        if left > 0 {
            let note =
                "left out: \(journal.withoutTokens) that generate nothing, \(journal.unknown) "
                + "whose tokens nobody counted\n"
            FileHandle.standardError.write(Data(note.utf8))
        }
        guard !journal.workload.arrivals.isEmpty else {
            throw ValidationError("the journal has no request that can be simulated")
        }
        let own = journal.configuration.policy.rawValue
        var directors = try directors(of: journal.fleet)
        if !directors.contains(where: { $0.name == own }) {
            directors.insert(Director(name: own, policy: journal.configuration.policy), at: 0)
        }
        if !json { print(Self.heading) }
        for seed in 1...UInt64(seeds) {
            for director in directors {
                let record = Simulator(
                    workload: journal.workload, fleet: journal.fleet,
                    director: journal.adjusted(director), seed: seed,
                    metering: learning.metering
                ).run(until: journal.workload.horizon)
                try show(
                    record, journal.workload.services,
                    ComparisonRow(record, services: journal.workload.services, seed: seed))
            }
        }
    }
}
