import InferenceTypes
import Telemetry

extension FuzzTarget {
    /// Input: limits and the kinds of page, then a page.
    static let prometheusPages = FuzzTarget("prometheus", longestInput: 512) { input in
        guard let (head, bytes) = input.cut(1) else { return }
        let page = Array(bytes)
        var limits = PrometheusText.Limits()
        if head[0] & 1 != 0 { limits.lineBytes = 40 }
        if head[0] & 2 != 0 { limits.samples = 3 }
        let (samples, summary) = read(page, limits)
        try checkSummary(summary, samples.count, page, limits)
        try checkLines(samples, summary, page, limits)
        try checkWritten(samples)
        try checkReaders(page, Int(head[0] >> 2))
    }
}

private struct Sample: Equatable {
    var name: String
    var value: UInt64
    var timestamp: Int64?
    var labels: [String?]

    /// Not a number is a number here.
    init(_ sample: PrometheusSample) {
        name = sample.name
        value = sample.value.bitPattern
        timestamp = sample.timestamp
        labels = Self.names.map { sample.label($0) }
    }

    static let names = ["gpu", "UUID", "card", "zone", "reason", "le"]
}

private func read(
    _ page: [UInt8], _ limits: PrometheusText.Limits
) -> ([Sample], PrometheusText.Summary) {
    var samples: [Sample] = []
    let summary = PrometheusText.parse(page, limits: limits) { samples.append(Sample($0)) }
    return (samples, summary)
}

private func checkSummary(
    _ summary: PrometheusText.Summary, _ count: Int, _ page: [UInt8],
    _ limits: PrometheusText.Limits
) throws(Finding) {
    let lines = page.count { $0 == 0x0A } + 1
    try require(
        summary.samples == count && count <= limits.samples
            && count + summary.malformedLines <= lines,
        "\(summary) of \(lines) lines, \(count) samples")
}

/// A page is its lines: each alone must give what it gives in its place.
private func checkLines(
    _ samples: [Sample], _ summary: PrometheusText.Summary, _ page: [UInt8],
    _ limits: PrometheusText.Limits
) throws(Finding) {
    var alone: [Sample] = []
    var malformed = 0
    for line in page.split(separator: 0x0A, omittingEmptySubsequences: false) {
        let (found, summary) = read(Array(line), limits)
        alone += found
        malformed += summary.malformedLines
    }
    try require(
        alone.prefix(limits.samples).elementsEqual(samples), "lines alone give other samples")
    try require(summary.isTruncated == (alone.count > limits.samples), "truncated or not")
    if !summary.isTruncated {
        try require(summary.malformedLines == malformed, "\(malformed) lines alone are malformed")
    }
}

/// What our own writer makes of a sample must be read as that sample.
private func checkWritten(_ samples: [Sample]) throws(Finding) {
    for sample in samples {
        let isName = sample.name.utf8.enumerated().allSatisfy { index, unit in
            switch unit {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "_"), UInt8(ascii: ":"):
                true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): index > 0
            default: false
            }
        }
        try require(isName && !sample.name.isEmpty, "a sample named \(sample.name)")
        var writer = PrometheusWriter()
        let labels = zip(Sample.names, sample.labels).compactMap { name, value in
            value.map { (name, $0) }
        }
        let value = Double(bitPattern: sample.value)
        writer.sample(sample.name, labels, .real(value))
        let (again, _) = read(writer.bytes, PrometheusText.Limits())
        try require(again.count == 1, "written and read again: \(shown(writer.bytes))")
        let reread = Double(bitPattern: again[0].value)
        try require(
            again[0].labels == sample.labels && (reread == value || value.isNaN && reread.isNaN),
            "written as \(shown(writer.bytes))")
    }
}

/// What the readers of pages say must be figures that can be reckoned with.
private func checkReaders(_ page: [UInt8], _ choice: Int) throws(Finding) {
    let engine = EngineKind.allCases[choice % EngineKind.allCases.count]
    let load = EngineLoadPage(page, engine: engine)
    for signal in EngineLoadPage.Signal.allCases {
        guard let value = load[signal] else { continue }
        try require(value >= 0, "\(signal) is \(value)")
        try require(signal != .kvUsage || value <= 1, "\(signal) is \(value)")
    }
    let exporter = ExporterKind.allCases[choice / 8 % ExporterKind.allCases.count]
    let reading = MeterPage(page, from: exporter).reading
    if let power = reading.power {
        let most = Double(reading.parts) * exporter.believablePower.value
        try require(power.value >= 0 && power.value <= most, "\(power) of \(reading.parts) parts")
    }
    if let energy = reading.energy { try require(energy.value >= 0, "\(energy)") }
}
