import Configuration
import InferenceTypes
import Scheduling
import Transport

extension JournalHead {
    /// The scheduler that this configuration asks for, from now on.
    init(_ configuration: GatewayConfiguration, at unix: TimeSpan, seed: UInt64) {
        self.init(
            gatewayVersion: Gateway.version, unixStart: unix,
            configuration: Scheduler.Configuration(configuration), seed: seed,
            start: MonotonicClock.now(),
            endpoints: configuration.endpoints.map(\.endpoint.url.authority),
            models: configuration.models.map(\.name), tenants: configuration.tenants.map(\.name))
    }
}
