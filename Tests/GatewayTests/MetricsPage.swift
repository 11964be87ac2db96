import Telemetry

/// The admin surface's metrics page, read.
struct MetricsPage {
    private(set) var samples: [PrometheusSample] = []
    let summary: PrometheusText.Summary

    init(_ fixture: GatewayFixture) {
        let body = RawClient.get(fixture.adminPort, "/metrics").body
        var samples: [PrometheusSample] = []
        summary = PrometheusText.parse(body) { samples.append($0) }
        self.samples = samples
    }

    /// Over all samples of that name that have these labels.
    func sum(_ name: String, _ labels: [String: String] = [:]) -> Double {
        samples.filter { sample in
            sample.isNamed(name) && labels.allSatisfy { sample.label($0.key) == $0.value }
        }.reduce(0) { $0 + $1.value }
    }
}
