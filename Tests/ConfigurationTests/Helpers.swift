import Foundation
import InferenceTypes

@testable import Configuration

/// The folder of the package, from the place of this file.
let packageFolder: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/")
}()

func packageFile(_ path: String) throws -> String {
    try String(contentsOfFile: packageFolder + "/" + path, encoding: .utf8)
}

let testProfile = Profile(
    name: "test", model: "m", accelerator: "a", provenance: .assumed, idlePower: Watts(1),
    sleepPower: Watts(1), wakeTime: .seconds(1), wakeEnergy: Joules(1), maxBatch: 8,
    prefillTokensPerSecond: 100, prefillPower: Watts(2), weightsGigabytes: 1,
    kvKilobytesPerToken: 1, meterScope: .card, decodeBuckets: [],
    knots: [
        Profile.Knot(
            batch: 1, iterationTime: .milliseconds(10), power: Watts(3), provenance: .assumed)
    ])

func parse(_ text: String, environment: [String: String] = [:]) -> ConfigurationReport {
    GatewayConfiguration.parse(
        text: text, profiles: FixedProfiles([testProfile]), environment: environment)
}

/// A file that is right as long as `extra` is.
func valid(with extra: String = "") -> String {
    """
    pools:
      - name: p
        engine: vllm
        profile: test
        endpoints: [{url: "http://h:1"}]
        models: [{name: m}]
    \(extra)
    """
}

/// `line:column path: message` of each issue.
func lines(_ report: ConfigurationReport) -> [String] {
    report.issues.map { "\($0.line):\($0.column) \($0.keyPath): \($0.message)" }
}
