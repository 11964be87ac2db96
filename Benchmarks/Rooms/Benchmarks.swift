import Benchmark

/// Where the benchmark package begins.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = Benchmark.Configuration(
        metrics: [.throughput, .cpuPerUnit, .inputRate, .allocations],
        maxDuration: .seconds(1), maxIterations: 2_000)
    measureRequests()
    measureEvents()
    measureHeads()
    measureConnections()
    measurePages()
    measureDecisions()
}
