// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors on the continuous-integration machine only: a newer compiler on a
// user's machine must not break their build.
//
// Overlapping accesses are looked for at run time in debug builds, where the tests run. In release
// builds the search is left out: it was a tenth of all instructions of a request. There, too, small
// functions are used across the walls between rooms.
let strict: [SwiftSetting] =
    (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])
    + [
        .unsafeFlags(
            ["-enforce-exclusivity=unchecked", "-cross-module-optimization"],
            .when(configuration: .release))
    ]

/// A room of the house: a library target of our own, with its test target beside it.
/// `docs/architecture.md` says what lives in each and who may import whom;
/// `Tests/TidyTests` reads the sources and holds them to it.
func room(_ name: String, _ imports: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: imports, swiftSettings: strict)
}

func tests(_ name: String, _ imports: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + imports,
        swiftSettings: strict)
}

let package = Package(
    name: "joulegate",
    products: [
        .executable(name: "joulegate", targets: ["joulegate"]),
        // For `Benchmarks/`, a package of its own.
        .library(
            name: "MeasuredRooms",
            targets: [
                "EnergyModel", "InferenceAPI", "InferenceTypes", "Scheduling", "Telemetry",
                "WireProtocols",
            ]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLinux"),

        room("InferenceTypes"),
        room("EnergyModel", ["InferenceTypes"]),
        room(
            "Scheduling",
            [
                "EnergyModel", "InferenceTypes",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ]),
        room("InferenceAPI", ["InferenceTypes"]),
        room("Classification", ["InferenceTypes"]),
        room("WireProtocols", ["CNGHTTP2", "COpenSSL", "InferenceTypes"]),
        room("Telemetry", ["InferenceTypes"]),
        room("Transport", ["WireProtocols", "InferenceTypes", "CLinux"]),
        room("EmulatedEngine", ["InferenceTypes"]),
        room(
            "EmulatedServer",
            [
                "EmulatedEngine", "InferenceAPI", "Transport", "Telemetry", "Configuration",
                "InferenceTypes", "WireProtocols",
            ]),
        room(
            "Configuration", ["InferenceTypes", .product(name: "Yams", package: "Yams")]),
        room(
            "Gateway",
            [
                "Classification", "Configuration", "EnergyModel", "InferenceAPI",
                "InferenceTypes", "Scheduling", "Telemetry", "Transport", "WireProtocols",
                .product(name: "Logging", package: "swift-log"),
            ]),
        room(
            "Simulation",
            [
                "Configuration", "EmulatedEngine", "EnergyModel", "InferenceTypes",
                "Scheduling", "Telemetry",
            ]),
        .executableTarget(
            name: "joulegate",
            dependencies: [
                "Classification", "Configuration", "EmulatedServer", "Gateway", "InferenceTypes",
                "Simulation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        tests("InferenceTypes"),
        tests("EnergyModel", ["EmulatedEngine", "InferenceTypes"]),
        tests("Scheduling", ["EnergyModel", "InferenceTypes"]),
        tests("InferenceAPI", ["InferenceTypes"]),
        tests("Classification", ["InferenceTypes", "Scheduling"]),
        tests("WireProtocols", ["InferenceTypes"]),
        tests("Telemetry", ["InferenceTypes"]),
        tests("Transport", ["WireProtocols", "InferenceTypes"]),
        tests("EmulatedEngine", ["InferenceTypes"]),
        tests("EmulatedServer", ["EmulatedEngine", "InferenceTypes"]),
        tests("Configuration", ["InferenceTypes"]),
        tests(
            "Gateway",
            [
                "Configuration", "EmulatedServer", "InferenceAPI", "InferenceTypes", "Scheduling",
                "Telemetry", "Transport", "WireProtocols",
                .product(name: "Logging", package: "swift-log"),
            ]),
        tests("Simulation", ["EmulatedEngine", "InferenceTypes", "Scheduling"]),
        .testTarget(name: "TidyTests", swiftSettings: strict),

        // What must hold of the parsers for every input, with the inputs that once were trouble.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Configuration", "InferenceAPI", "InferenceTypes", "Scheduling", "Simulation",
                "Telemetry", "WireProtocols",
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: strict),
        .testTarget(
            name: "FuzzCorpusTests", dependencies: ["FuzzTargets"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

// Links only with libFuzzer's runtime, which brings its own `main`: see scripts/fuzz.sh. What the
// properties' own code does is no news to the fuzzer and would only slow it down. By default it
// would be told of every comparison in the parsers, too, which takes half of the time; the
// dictionaries do as well.
if Context.environment["JOULEGATE_FUZZ"] != nil {
    for target in package.targets where target.type == .regular {
        let level = target.name == "FuzzTargets" ? "func" : "edge"
        target.swiftSettings?.append(
            .unsafeFlags(["-sanitize-coverage=\(level),inline-8bit-counters,pc-table"]))
    }
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Runner",
            swiftSettings: strict))
}
