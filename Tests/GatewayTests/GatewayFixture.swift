import Configuration
import EmulatedServer
import Foundation
import InferenceTypes
import Logging

@testable import Gateway

/// The real gateway on loopback in front of emulated model servers, all in this process.
final class GatewayFixture: Sendable {
    /// One model server: a pool of its own, unless it shares its neighbour's pool name.
    struct Upstream: Sendable {
        var pool: String?
        var kind = EngineKind.vllm
        var profile = FastProfiles.profile()
        var faults: [String] = []
        var maxInFlight: Int?
        var hasMeter = false
        /// After so long the model server closes idle connections.
        var keepAlive = TimeSpan.seconds(5)
    }

    static let model = "test-model"

    let servers: [EmulatedServer]
    let gateway: Gateway

    /// Starts everything. `change` sees the configuration with the servers' ports in it.
    init(
        _ upstreams: [Upstream] = [Upstream()],
        _ change: (inout GatewayConfiguration) -> Void = { _ in }
    ) throws {
        servers = try upstreams.enumerated().map { index, upstream in
            let service = ServiceOptions(
                kind: upstream.kind, profile: upstream.profile, model: "upstream-model",
                seed: UInt64(index + 1), faults: try FaultPlan(upstream.faults))
            var options = EmulatedServer.Options(service: service)
            options.name = "server-\(index)"
            options.keepAlive = upstream.keepAlive
            if !upstream.hasMeter { options.exporterPort = nil }
            return EmulatedServer(options)
        }
        for server in servers { try server.start() }
        var configuration = Self.configuration(upstreams, servers)
        change(&configuration)
        var logger = Logger(label: "gateway-tests")
        logger.logLevel = .critical
        gateway = try Gateway(configuration, logger: logger, seed: 7)
        gateway.start()
        waitUntilReady()
    }

    private static func configuration(
        _ upstreams: [Upstream], _ servers: [EmulatedServer]
    ) -> GatewayConfiguration {
        var configuration = minimal()
        configuration.models = [GatewayConfiguration.Model(name: model)]
        configuration.models[0].aliases = ["alias"]
        for (index, upstream) in upstreams.enumerated() {
            let name = upstream.pool ?? "pool-\(index)"
            var endpoint = GatewayConfiguration.Endpoint(
                url: ServiceURL(
                    scheme: .http, host: "127.0.0.1", port: Int(servers[index].port)),
                maxInFlight: upstream.maxInFlight)
            if let port = servers[index].exporterPort {
                endpoint.meters = [MeterID(configuration.meters.count)]
                configuration.meters.append(
                    GatewayConfiguration.Meter(
                        name: "meter-\(index)", source: .dcgmExporter,
                        location: .url(
                            ServiceURL(
                                scheme: .http, host: "127.0.0.1", port: Int(port),
                                path: "/metrics")),
                        scope: .accelerator))
            }
            if let last = configuration.pools.indices.last,
                configuration.pools[last].name == name
            {
                configuration.pools[last].endpoints.append(endpoint)
            } else {
                configuration.pools.append(
                    GatewayConfiguration.Pool(
                        name: name, engine: upstream.kind, profile: upstream.profile,
                        endpoints: [endpoint],
                        models: [.init(model: ModelID(0), upstream: "upstream-model")]))
            }
        }
        return configuration
    }

    /// Free ports, two reactors, limits that a test can wait for; no pools.
    static func minimal() -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.listeners = [GatewayConfiguration.Listener(port: 0)]
        configuration.admin.port = 0
        configuration.threads = 2
        configuration.limits.drainTimeout = .milliseconds(200)
        return configuration
    }

    var port: UInt16 { gateway.addresses[0].port }
    var adminPort: UInt16 { gateway.adminAddress.port }

    func stop() {
        gateway.stop()
        for server in servers { server.stop() }
    }

    private func waitUntilReady() {
        _ = Patience.wait(for: .seconds(5)) { RawClient.get(port, "/readiness").status == 200 }
    }

    // MARK: Requests

    func client() throws -> RawClient { try RawClient(port: port) }

    /// One request on a connection of its own.
    func post(
        _ body: String, to path: String = "/v1/chat/completions",
        fields: [String: String] = [:]
    ) -> RawResponse {
        RawClient.post(port, path, body, fields: fields)
    }

    // MARK: What really happened

    /// A model server's own account.
    func state(_ index: Int = 0) -> EngineState {
        EngineState(RawClient.get(servers[index].port, "/emulated/state").body)
    }

    /// Joules that all model servers have truly used since they started.
    func trueEnergy() -> Double {
        servers.indices.reduce(0) { $0 + state($1).joules }
    }

    /// An admin page as a JSON object.
    func admin(_ path: String) -> [String: Any] {
        JSONText.object(RawClient.get(adminPort, path).body)
    }
}

/// `/emulated/state`.
struct EngineState: Sendable {
    var running = 0
    var waiting = 0
    var open = 0
    var cancelled = 0
    var finished = 0
    var generationTokens = 0
    var joules = 0.0

    init(_ body: [UInt8]) {
        let object = JSONText.object(body)
        func count(_ name: String) -> Int { object[name] as? Int ?? -1 }
        running = count("running")
        waiting = count("waiting")
        open = count("open")
        cancelled = count("cancelled")
        finished = count("finished")
        generationTokens = count("generation_tokens")
        joules = (object["joules"] as? [String: Any])?["total"] as? Double ?? 0
    }
}

enum JSONText {
    /// Empty for anything but an object.
    static func object(_ bytes: [UInt8]) -> [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any] ?? [:]
    }
}
