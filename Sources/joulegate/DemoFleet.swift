import Configuration
import EmulatedServer
import Foundation
import InferenceTypes

/// The demo's model servers: one emulated server per endpoint of the configuration.
final class DemoFleet {
    private struct Pool {
        var name: String
        var servers: [EmulatedServer]
        var isAlive = true
    }

    private var pools: [Pool]

    init(_ configuration: GatewayConfiguration, except real: [String]) throws {
        var seed: UInt64 = 0
        pools = configuration.pools.map { pool in
            guard !real.contains(pool.name) else { return Pool(name: pool.name, servers: []) }
            let model = pool.models.first?.upstream ?? "emulated"
            let servers = pool.endpoints.map { endpoint in
                seed += 1
                var service = ServiceOptions(
                    kind: pool.engine, profile: pool.profile, model: model, seed: seed)
                service.epoch = Int(Date().timeIntervalSince1970)
                var options = EmulatedServer.Options(service: service)
                options.name = "\(pool.name)-\(seed)"
                options.port = UInt16(clamping: endpoint.url.port)
                options.exporterPort = endpoint.meters.first.flatMap { meter in
                    guard case .url(let url) = configuration.meters[meter.index].location
                    else { return nil }
                    return UInt16(clamping: url.port)
                }
                return EmulatedServer(options)
            }
            return Pool(name: pool.name, servers: servers)
        }
    }

    func start() throws {
        for pool in pools { try pool.servers.forEach { try $0.start() } }
    }

    func stop() {
        for pool in pools { pool.servers.forEach { $0.stop() } }
    }

    /// Kills a running pool as kill -9 would, or starts a dead one. Returns what was done.
    func toggle(_ index: Int) -> String {
        guard pools.indices.contains(index), !pools[index].servers.isEmpty else {
            return "that pool is not emulated here"
        }
        let name = pools[index].name
        if pools[index].isAlive {
            pools[index].servers.forEach { $0.stop() }
            pools[index].isAlive = false
            return "killed \(name)"
        }
        do {
            try pools[index].servers.forEach { try $0.start() }
        } catch {
            return "\(name) does not start: \(error)"
        }
        pools[index].isAlive = true
        return "revived \(name)"
    }
}
