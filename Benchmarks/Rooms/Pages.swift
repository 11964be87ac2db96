import Benchmark
import InferenceTypes
import Telemetry

/// The gateway's own page, with series in use as with several pools, models and tenants.
private func registry() -> MetricRegistry {
    func names(_ word: String, _ count: Int) -> [String] { (0..<count).map { "\(word)-\($0)" } }
    var builder = MetricRegistryBuilder()
    let instruments = GatewayInstruments(
        names: .init(
            pools: names("pool", 4), models: names("model", 8), tenants: names("tenant", 8)),
        version: "1.0.0", in: &builder)
    let registry = builder.build(shards: 2)
    for shard in registry.shards {
        for model in 1...8 {
            for tenant in 1...8 {
                instruments.requests[
                    GatewayInstruments.label(task: .chat), model, tenant,
                    GatewayInstruments.label(status: 200)
                ].add(shard: shard)
            }
            for pool in 1...4 {
                instruments.tokens[pool, model, 0].add(100, shard: shard)
                instruments.timeToFirstToken[pool].observe(seconds: 0.2, shard: shard)
                instruments.interTokenLatency[pool].observe(seconds: 0.02, shard: shard)
            }
        }
    }
    return registry
}

/// A model server's page, with what the gateway does not read around what it does.
private func enginePage() -> [UInt8] {
    let labels = #"{engine="0",model_name="llama-3.1-8b"}"#
    var lines: [String] = []
    for name in [
        "num_requests_running", "num_requests_waiting", "kv_cache_usage_perc",
        "prompt_tokens_total", "generation_tokens_total", "num_preemptions_total",
    ] {
        lines += ["# HELP vllm:\(name) As it says.", "# TYPE vllm:\(name) gauge"]
        lines.append("vllm:\(name)\(labels) 12.0")
    }
    for family in 0..<20 {
        let name = "vllm:request_figure_\(family)_seconds"
        lines += ["# HELP \(name) Histogram.", "# TYPE \(name) histogram"]
        for bound in 0..<20 {
            lines.append(
                #"\#(name)_bucket{engine="0",le="\#(bound).5",model_name="llama-3.1-8b"} 17.0"#)
        }
    }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
}

func measurePages() {
    measure("metrics page of 4 pools, 8 models, 8 tenants", units: 50) {
        let registry = registry()
        return {
            let page = registry.render()
            guard page.count > 1_000 else { throw Unexpected("no page") }
            blackHole(page)
        }
    }
    let page = enginePage()
    measure("Prometheus text of \(page.count >> 10) KiB, samples", bytes: page.count, units: 50) {
        {
            var sum = 0.0
            let summary = PrometheusText.parse(page) { sum += $0.value }
            guard summary.samples == 406, summary.malformedLines == 0 else {
                throw Unexpected("\(summary.samples) samples")
            }
            blackHole(sum)
        }
    }
    let load = "Prometheus text of \(page.count >> 10) KiB, a model server's load"
    measure(load, bytes: page.count, units: 50) {
        {
            let load = EngineLoadPage(page, engine: .vllm)
            guard load.running == 12 else { throw Unexpected("no load") }
            blackHole(load)
        }
    }
}
