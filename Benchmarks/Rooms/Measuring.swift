import Allocations
import Benchmark
import Glibc

extension BenchmarkMetric {
    /// Allocations of a thousand units.
    static let allocations = custom("Allocations (per 1000 units)", useScalingFactor: false)
    /// CPU time of one unit, in picoseconds: other work on the machine takes wall time, not this.
    static let cpuPerUnit = custom("CPU (ps per unit)", useScalingFactor: false)
    /// Megabytes (10^6) of input per second of CPU time; 0 where there is no input.
    static let inputRate = custom(
        "Input (MB per CPU second)", polarity: .prefersLarger, useScalingFactor: false)
}

/// Nanoseconds of CPU time that this thread has had.
private func threadTime() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Registers a benchmark. `make` is called once, before anything is measured, and gives the work of
/// one unit, of which an iteration does `units`; `bytes` of input in a unit make a rate of it.
func measure(
    _ name: String, bytes: Int = 0, units: Int = 1_000,
    _ make: @escaping @Sendable () throws -> () throws -> Void
) {
    // One process runs one benchmark, on one thread.
    nonisolated(unsafe) var prepared: (() throws -> Void)?
    Benchmark(name) { benchmark in
        let work = try prepared ?? make()
        prepared = work
        benchmark.startMeasurement()
        let start = threadTime()
        let allocations = allocations_of_thread()
        for _ in 0..<units { try work() }
        let spent = max(threadTime() - start, 1)
        let made = allocations_of_thread() - allocations
        benchmark.stopMeasurement()
        benchmark.measurement(.allocations, made * 1_000 / units)
        benchmark.measurement(.cpuPerUnit, spent * 1_000 / units)
        benchmark.measurement(.inputRate, bytes * units * 1_000 / spent)
    }
}

/// The same for work that cannot go on without other work, which is not measured: `make` gives the
/// work of one unit, and what follows `units` of them. An iteration does both often enough for a
/// thousand units at least: after the tool's own work the first few find cold caches.
func measure(
    _ name: String, units: Int,
    _ make: @escaping @Sendable () throws -> (work: () throws -> Void, rest: () throws -> Void)
) {
    nonisolated(unsafe) var prepared: (work: () throws -> Void, rest: () throws -> Void)?
    Benchmark(name) { benchmark in
        let (work, rest) = try prepared ?? make()
        prepared = (work, rest)
        let rounds = (1_000 + units - 1) / units
        var spent = 0
        var made = 0
        benchmark.startMeasurement()
        for _ in 0..<rounds {
            let start = threadTime()
            let allocations = allocations_of_thread()
            for _ in 0..<units { try work() }
            made += allocations_of_thread() - allocations
            spent += max(threadTime() - start, 1)
            try rest()
        }
        benchmark.stopMeasurement()
        benchmark.measurement(.allocations, made * 1_000 / (rounds * units))
        benchmark.measurement(.cpuPerUnit, spent * 1_000 / (rounds * units))
        benchmark.measurement(.inputRate, 0)
    }
}

/// A benchmark whose unit did not do what it was to do.
struct Unexpected: Error {
    var what: String

    init(_ what: String) { self.what = what }
}
