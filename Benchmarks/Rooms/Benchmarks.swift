import Benchmark

#if COUNTS
    private let metrics: [BenchmarkMetric] = [
        .throughput, .units, .mallocCountTotal, .retainCount, .releaseCount,
    ]
#else
    private let metrics: [BenchmarkMetric] = [.throughput, .units, .cpuPerUnit, .inputRate]
#endif

/// Where the benchmark package begins.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = Benchmark.Configuration(
        metrics: metrics, maxDuration: .seconds(1), maxIterations: 2_000)
    measureRequests()
    measureEvents()
    measureHeads()
    measureConnections()
    measurePages()
    measureDecisions()
}
