import ArgumentParser
import Configuration
import EmulatedServer
import Foundation
import Gateway
import InferenceTypes

/// The whole house on one machine: emulated pools, the gateway in front, a little traffic, and one
/// line a second of what it costs.
struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the gateway over emulated GPU, NPU and CPU pools, with traffic.")

    @Option(help: "The configuration; its endpoints and exporters are emulated here.")
    var config = "Config/demo.yaml"

    @Option(help: "Requests per second that the demo sends by itself.")
    var rate = 4.0

    @Option(help: "Stop after so many seconds.")
    var seconds: Int?

    @Option(help: "A pool whose servers are real and already run: not emulated, not killed.")
    var realPool: [String] = []

    func run() throws {
        StopSignals.block()
        let configuration = try GatewayConfiguration.load(path: config)
        try DemoCertificate.prepare(for: configuration)
        let fleet = try DemoFleet(configuration, except: realPool)
        try fleet.start()
        let logger = ProcessLog.logger(level: .error)
        let gateway = try Gateway(configuration, logger: logger)
        gateway.start()
        let traffic = try EmulatedClients(
            address: gateway.addresses[0], model: configuration.models[0].name, rate: rate)
        traffic.start()
        introduce(configuration)
        let console = DemoConsole(gateway: gateway, fleet: fleet)
        console.run(seconds: seconds)
        traffic.stop()
        gateway.stop()
        fleet.stop()
    }

    private func introduce(_ configuration: GatewayConfiguration) {
        let model = configuration.models[0].aliases.first ?? configuration.models[0].name
        let plain = configuration.listeners.first { $0.tls == nil }?.port ?? 30000
        let secure = configuration.listeners.first { $0.tls != nil }?.port ?? 30443
        print(
            """
            joulegate demo: pools \(configuration.pools.map(\.name).joined(separator: ", "))
            Every watt of an emulated pool is MODELLED by its profile; nothing here was measured.

            Try, in another terminal:
              curl http://127.0.0.1:\(plain)/v1/models
              curl --http2-prior-knowledge -N http://127.0.0.1:\(plain)/v1/chat/completions \\
                -d '{"model":"\(model)","stream":true,\
            "messages":[{"role":"user","content":"안녕하세요"}]}'
              curl -k https://127.0.0.1:\(secure)/v1/chat/completions \\
                -d '{"model":"\(model)","max_tokens":20,\
            "messages":[{"role":"user","content":"hello"}]}'
            Figures: curl http://127.0.0.1:\(configuration.admin.port)/status  (or /metrics)

            Keys (or lines on standard input):  r round_robin   e energy_aware
              1-\(configuration.pools.count) kill or revive a pool   q quit

            """)
    }
}
