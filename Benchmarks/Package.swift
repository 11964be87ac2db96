// swift-tools-version: 6.1
import PackageDescription

// A package of its own: whoever builds the gateway does not fetch the measuring tools. Without its
// traits the benchmark package fetches and preloads nothing that stands before the allocator.
let package = Package(
    name: "joulegate-benchmarks",
    dependencies: [
        .package(name: "joulegate", path: ".."),
        .package(
            url: "https://github.com/ordo-one/package-benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(name: "Allocations", path: "Allocations"),
        .executableTarget(
            name: "Rooms",
            dependencies: [
                "Allocations",
                .product(name: "MeasuredRooms", package: "joulegate"),
                .product(name: "Benchmark", package: "package-benchmark"),
            ],
            path: "Rooms",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "package-benchmark")]),
    ]
)
