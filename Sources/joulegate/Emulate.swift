import ArgumentParser
import Configuration
import EmulatedServer
import Foundation
import InferenceTypes

/// A model server that only pretends to compute: for trying the gateway, and for testing it.
struct Emulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run an emulated model server with its power exporter.",
        discussion: """
            Speaks the wire of the engine it emulates, takes the time and draws the power that the \
            profile says, and makes the faults it is asked for. Every figure it shows is modelled.
            """)

    @Option(help: "vllm, vllm-rbln, llama-server or sglang.")
    var engine: EngineKind

    @Option(help: "A profile's name (looked for in Config/profiles) or path.")
    var profile: String

    @Option(help: "Numeric address to listen on.")
    var address = "127.0.0.1"

    @Option(help: "Port of the model server; 0 lets the system choose.")
    var port: UInt16 = 0

    @Option(help: "Port of the power exporter; without it there is none.")
    var exporterPort: UInt16?

    @Option(help: "The exporter's names: dcgm, rbln, rbln-legacy or kepler.")
    var exporter: String?

    @Option(help: "The model's id.")
    var model = "emulated"

    @Option(help: "Seed of whatever is random.")
    var seed: UInt64 = 1

    @Option(help: "Scales every duration of the profile; below 1 is faster than life.")
    var timeFactor = 1.0

    @Flag(help: "Prompts that begin alike share the computed beginning, as servers do.")
    var prefixCache = false

    @Flag(help: "Answers do not say how much of their prompt was cached; the metrics page does.")
    var hideCachedTokens = false

    @Option(
        help: "A fault, e.g. cut-chunked:3, error-vllm:2, status-503; several may be given.")
    var fault: [String] = []

    func run() throws {
        StopSignals.block()
        let directories = ProfileDirectories(configurationFolder: ".")
        var service = ServiceOptions(
            kind: engine, profile: try directories.profile(named: profile), model: model,
            seed: seed, faults: try FaultPlan(fault))
        service.engine.timeFactor = timeFactor
        service.hasPrefixCache = prefixCache
        service.saysCachedTokens = !hideCachedTokens
        service.epoch = Int(Date().timeIntervalSince1970)
        var options = EmulatedServer.Options(service: service)
        options.host = address
        options.port = port
        options.exporterPort = exporterPort
        if let exporter {
            guard let kind = ExporterPage.Kind(rawValue: exporter) else {
                let names = ExporterPage.Kind.allCases.map(\.rawValue)
                throw ValidationError("--exporter is one of \(names.joined(separator: ", "))")
            }
            options.exporter = kind
        }
        let server = EmulatedServer(options)
        try server.start()
        print("listening \(server.port)")
        if let port = server.exporterPort { print("exporter \(port)") }
        fflush(nil)
        StopSignals.wait()
        server.stop()
    }
}

extension EngineKind: ExpressibleByArgument {}
