import Configuration
import InferenceTypes

extension FuzzTarget {
    /// Input: a configuration file.
    static let configurationFiles = FuzzTarget("configuration", longestInput: 640) { input in
        let text = String(decoding: input, as: UTF8.self)
        let report = read(text)
        try checkIssues(report, text)
        try require(
            (report.configuration == nil) == report.issues.contains { $0.severity == .error },
            "errors and a configuration, or neither")
        guard let configuration = report.configuration else { return }
        try checkPrinted(configuration)
    }
}

private let secret = "s3cr3t-0f-the-enV1ronment"

private func read(_ text: String) -> ConfigurationReport {
    GatewayConfiguration.parse(
        text: text, profiles: FixedProfiles([profile]),
        environment: ["S": secret, "E": "", "N": "7", "H": "http://h:1"])
}

/// Every issue has a place in the text, and none shows what the environment holds.
private func checkIssues(_ report: ConfigurationReport, _ text: String) throws(Finding) {
    let ends = "\n\r\u{85}\u{2028}\u{2029}".unicodeScalars
    let lines = text.unicodeScalars.count { ends.contains($0) }
    // Who writes it into the file has told it himself.
    let isTold = text.contains(secret)
    for issue in report.issues {
        try require(
            (0...lines + 2).contains(issue.line) && issue.column >= 0,
            "\(issue) in a text of \(lines + 1) lines")
        try require(
            isTold || !issue.description.contains(secret), "it shows a secret: \(issue)")
    }
}

/// What is printed as the configuration in effect is that configuration, where nothing was cut
/// short in it.
private func checkPrinted(_ configuration: GatewayConfiguration) throws(Finding) {
    let printed = configuration.effectiveYAML()
    try require(printed == configuration.effectiveYAML(), "printed twice, not the same")
    let hasSecrets = configuration.admin.apiKeySHA256 != nil
        || configuration.pools.contains { $0.apiKey != nil }
        || configuration.tenants.contains { !$0.apiKeys.isEmpty }
    guard !hasSecrets else { return }
    let report = read(printed)
    guard let again = report.configuration else {
        throw Finding(description: "\(report.issues) in what was printed: \(printed)")
    }
    try require(again == configuration, "printed and read again: \(printed)")
}

private let profile = Profile(
    name: "test", model: "m", accelerator: "a", provenance: .assumed, idlePower: Watts(1),
    sleepPower: Watts(1), wakeTime: .seconds(1), wakeEnergy: Joules(1), maxBatch: 8,
    prefillTokensPerSecond: 100, prefillPower: Watts(2), weightsGigabytes: 1,
    kvKilobytesPerToken: 1, meterScope: .card, decodeBuckets: [],
    knots: [
        Profile.Knot(
            batch: 1, iterationTime: .milliseconds(10), power: Watts(3), provenance: .assumed)
    ])
