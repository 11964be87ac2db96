import Foundation
import InferenceTypes
import Testing

@testable import Configuration

@Suite struct ProfileTests {
    private func profile(_ change: (String) -> String = { $0 }) -> String {
        change(
            """
            {"name": "x", "model": "m", "accelerator": "a", "status": "measured",
             "idle_watts": 1, "sleep_watts": 1, "wake_seconds": 2.5, "wake_joules": 1,
             "max_batch": 4, "prefill": {"tokens_per_second": 10, "watts": 5},
             "weights_gigabytes": 1, "kv_kilobytes_per_token": 1,
             "knots": [
              {"batch": 1, "iteration_seconds": 0.01, "watts": 7, "source": "measured"},
              {"batch": 2.5, "iteration_seconds": 0.02, "watts": 8, "source": "published"}]}
            """)
    }

    private func messages(_ text: String) -> [String] {
        do {
            _ = try ProfileReader.parse(text: text)
            return []
        } catch {
            return error.issues.map { "\($0.line):\($0.column) \($0.keyPath): \($0.message)" }
        }
    }

    @Test func everyProfileThatShipsLoads() throws {
        let folder = packageFolder + "/Config/profiles"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".json") }.sorted()
        #expect(!files.isEmpty)
        for file in files {
            let profile = try ProfileReader.load(path: folder + "/" + file)
            #expect(profile.name + ".json" == file)
            #expect(!profile.knots.isEmpty)
        }
    }

    @Test func figuresAndTheirProvenanceArrive() throws {
        let read = try ProfileReader.parse(text: profile())
        #expect(read.provenance == .measured)
        #expect(read.wakeTime == .milliseconds(2_500))
        #expect(read.knots.map(\.batch) == [1, 2.5])
        #expect(read.knots.map(\.provenance) == [.measured, .modelled])
        #expect(read.knots[1].iterationTime == .milliseconds(20))
        #expect(read.decodeBuckets.isEmpty)
    }

    @Test func withoutKnotsTheCurveFollowsFromTheWeights() throws {
        let read = try ProfileReader.parse(
            text: """
                {"name": "x", "model": "m", "accelerator": "a", "status": "measured",
                 "max_batch": 256, "weights_gigabytes": 519, "kv_kilobytes_per_token": 70,
                 "memory_bandwidth_gigabytes_per_second": 26800, "tdp_watts": 5600,
                 "parameters_billions": 519,
                 "experts": {"count": 192, "active": 8, "share": 0.977}}
                """)
        #expect(read.provenance == .assumed)
        #expect(read.idlePower == Watts(0.17 * 5_600))
        #expect(read.knots.map(\.batch) == [1, 2, 4, 8, 16, 32, 64, 128, 256])
        #expect(read.knots.allSatisfy { $0.provenance == .assumed })
        // 33 GB at 0.65 x 26.8 TB/s, and a hundredth of it for the sequence: 1.91 ms.
        #expect((read.knots[0].iterationTime.milliseconds / 1.914 - 1).magnitude < 0.01)
        #expect((read.wakeEnergy.value - 952 * 30).magnitude < 1e-6)
        #expect(read.prefillTokensPerSecond > 10_000)
    }

    @Test func neitherKnotsNorBandwidthIsAMistake() {
        let text = profile { $0.replacing("\"knots\"", with: "\"knot\"") }
        #expect(!messages(text).isEmpty)
    }

    @Test(arguments: [
        ("measured", Provenance.measured), ("published", .modelled), ("extrapolated", .modelled),
        ("assumed", .assumed), ("measured rate, assumed watts", .assumed),
    ])
    func wordsBecomeProvenance(words: String, expected: Provenance) {
        #expect(ProfileReader.provenance(words) == expected)
    }

    @Test(arguments: [
        ("\"batch\": 2.5", "\"batch\": 1",
            "7:3 knots[1]: batch must be above 1.0, found 1.0"),
        ("\"watts\": 8", "\"watts\": 0", "7:3 knots[1]: watts must be above 0"),
        ("0.02", "0", "7:3 knots[1]: iteration_seconds must be above 0"),
        ("0.02", "1e999", "7:39 knots[1].iteration_seconds: expected a number, found '1e999'"),
        ("\"idle_watts\": 1", "\"idle_wats\": 1",
            "2:2 idle_wats: unknown key 'idle_wats'; did you mean 'idle_watts'?"),
        ("published", "rumoured",
            "7:67 knots[1].source: expected measured, published, extrapolated, or words with"
                + " assumed, found 'rumoured'"),
        ("\"max_batch\": 4", "\"max_batch\": 4, \"decode_buckets\": [4, 2]",
            "1:1 : decode_buckets must ascend: 2 follows 4"),
    ])
    func aMistakeIsNamed(from: String, to: String, message: String) {
        #expect(messages(profile { $0.replacing(from, with: to) }).contains(message))
    }

    @Test func mistakesInAProfileReachTheConfiguration() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/profiles-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try profile { $0.replacing("\"max_batch\": 4", with: "\"max_batch\": 0") }
            .write(toFile: folder + "/test.json", atomically: true, encoding: .utf8)
        let report = GatewayConfiguration.parse(
            text: valid(),
            profiles: ProfileDirectories(configurationFolder: ".", first: folder))
        #expect(report.issues.map(\.message) == [
            "profile 'test' cannot be used: 1 mistakes in it",
            "expected a number of at least 1, found 0",
        ])
        #expect(report.issues.last?.file == folder + "/test.json")
    }

    @Test func aMissingProfileSaysWhereItWasLookedFor() {
        let source = ProfileDirectories(configurationFolder: "etc", first: "own")
        let error = #expect(throws: ConfigurationError.self) {
            try source.profile(named: "nothing")
        }
        #expect(error?.issues[0].message == "not found; looked for etc/own/nothing.json,"
            + " etc/Config/profiles/nothing.json, Config/profiles/nothing.json")
    }
}
