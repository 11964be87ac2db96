import Configuration
import InferenceTypes
import Synchronization
import Transport

/// Asks a running gateway whether it lives: the health check of a container that has no shell and
/// no curl.
public enum HealthCheck {
    /// True if the admin listener of `configuration` answers `/health` with 200. Blocks.
    public static func passes(
        _ configuration: GatewayConfiguration, timeout: TimeSpan = .seconds(2)
    ) throws -> Bool {
        let admin = configuration.admin
        guard
            let address = SocketAddress.resolve(
                host: admin.address, port: UInt16(clamping: admin.port)
            ).first
        else { throw GatewayError.unresolvable(admin.address) }
        let reactor = try Reactor(index: 0)
        let pool = ClientPool(
            reactor: reactor, address: address, hostname: admin.address, tls: nil,
            limits: configuration.limits)
        let isHealthy = Atomic<Bool>(false)
        _ = ControlFetch(
            pool: pool, authority: "\(admin.address):\(admin.port)", path: "/health",
            timeout: timeout
        ) { outcome in
            if case .answered(200, _) = outcome { isHealthy.store(true, ordering: .relaxed) }
            reactor.stop()
        }
        reactor.run()
        return isHealthy.load(ordering: .relaxed)
    }
}
