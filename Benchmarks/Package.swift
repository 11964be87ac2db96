// swift-tools-version: 6.1
import PackageDescription

// With BENCH_COUNTS=1 allocations and reference counting are counted, by libraries that are loaded
// before the C library's and Swift's own: they make everything slower, so times come from runs
// without. Neither way needs jemalloc.
let counts: Set<Package.Dependency.Trait> =
    Context.environment["BENCH_COUNTS"] == "1" ? ["MallocInterposer", "RuntimeInterposer"] : []

// A package of its own: whoever builds the gateway does not fetch the measuring tools.
let package = Package(
    name: "joulegate-benchmarks",
    dependencies: [
        .package(name: "joulegate", path: ".."),
        .package(
            url: "https://github.com/ordo-one/package-benchmark", from: "1.38.1", traits: counts),
    ],
    targets: [
        .executableTarget(
            name: "Rooms",
            dependencies: [
                .product(name: "MeasuredRooms", package: "joulegate"),
                .product(name: "Benchmark", package: "package-benchmark"),
            ],
            path: "Rooms",
            swiftSettings: counts.isEmpty ? [] : [.define("COUNTS")],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "package-benchmark")]),
    ]
)
