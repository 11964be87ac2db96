import Configuration
import InferenceTypes
import Telemetry
import Transport
import WireProtocols

/// One exporter page or kernel file and the meters that are read from it: a page that serves many
/// meters is fetched once.
final class MeterSourcePage {
    private enum Source {
        case exporter(ClientPool, ServiceURL, ExporterKind)
        case hwmon(String)
        case powercap(String)
    }

    private let source: Source
    private var meters: [(id: MeterID, match: [MeterPage.Match])] = []

    private init(_ source: Source) { self.source = source }

    /// Exporters whose host name has no address are left out: their meters stay silent.
    static func all(of configuration: GatewayConfiguration, reactor: Reactor) -> [MeterSourcePage] {
        var pages: [(key: String, page: MeterSourcePage)] = []
        for (index, meter) in configuration.meters.enumerated() {
            let key = "\(meter.source.rawValue) \(meter.location)"
            var page = pages.first { $0.key == key }?.page
            if page == nil {
                page = make(meter, reactor: reactor, limits: configuration.limits)
                if let page { pages.append((key, page)) }
            }
            page?.meters.append(
                (
                    MeterID(index),
                    meter.match.map { MeterPage.Match(label: $0.label, value: $0.value) }
                ))
        }
        return pages.map(\.page)
    }

    private static func make(
        _ meter: GatewayConfiguration.Meter, reactor: Reactor, limits: Limits
    ) -> MeterSourcePage? {
        switch meter.location {
        case .path(let path):
            return MeterSourcePage(meter.source == .hwmon ? .hwmon(path) : .powercap(path))
        case .url(let url):
            guard let kind = ExporterKind(meter.source),
                let address = SocketAddress.resolve(
                    host: url.host, port: UInt16(clamping: url.port)
                ).first
            else { return nil }
            // An exporter under https is verified like a model server, by the system's authorities;
            // one that cannot be is left silent, never read in the clear.
            var tls: TLSContext?
            if url.scheme == .https {
                guard let context = try? TLSContext.client(caPath: nil, verify: true) else {
                    return nil
                }
                tls = context
            }
            let pool = ClientPool(
                reactor: reactor, address: address, hostname: url.host, tls: tls, limits: limits)
            return MeterSourcePage(.exporter(pool, url, kind))
        }
    }

    func read(timeout: TimeSpan, into desk: MeterDesk) {
        switch source {
        case .exporter(let pool, let url, let kind):
            _ = ControlFetch(
                pool: pool, authority: url.authority, path: url.path, timeout: timeout
            ) { [self] outcome in
                // Silence has its own clock.
                guard case .answered(200, let body) = outcome else { return }
                for meter in meters {
                    let page = MeterPage(body, from: kind, match: meter.match)
                    desk.note(meter.id, page.reading, at: pool.reactor.now)
                }
            }
        case .hwmon(let path):
            note(KernelMeter.readHwmon(path), desk)
        case .powercap(let path):
            note(KernelMeter.readPowercap(path), desk)
        }
    }

    func close() {
        if case .exporter(let pool, _, _) = source { pool.closeAll() }
    }

    private func note(_ reading: PowerReading, _ desk: MeterDesk) {
        for meter in meters { desk.note(meter.id, reading, at: MonotonicClock.now()) }
    }
}

extension ExporterKind {
    init?(_ source: MeterSource) {
        switch source {
        case .dcgmExporter: self = .dcgm
        case .rblnExporter: self = .rbln
        case .kepler: self = .kepler
        case .hwmon, .powercap: return nil
        }
    }
}
