import InferenceTypes

/// Where a meter's readings come from.
public enum MeterSource: String, CaseIterable, Sendable {
    case dcgmExporter = "dcgm-exporter"
    case rblnExporter = "rbln-exporter"
    case kepler
    case hwmon
    case powercap

    /// True if the source is a Prometheus page rather than files of the local kernel.
    public var isExporter: Bool {
        switch self {
        case .dcgmExporter, .rblnExporter, .kepler: true
        case .hwmon, .powercap: false
        }
    }

    /// What such a source sees unless the file says otherwise.
    public var defaultScope: Profile.MeterScope {
        switch self {
        case .dcgmExporter: .accelerator
        case .rblnExporter: .card
        case .kepler, .hwmon, .powercap: .host
        }
    }
}

extension GatewayConfiguration {
    /// A power or energy meter that endpoints may share.
    public struct Meter: Hashable, Sendable {
        /// One label a sample must carry to belong to the meter.
        public struct Match: Hashable, Sendable {
            public var label: String
            public var value: String

            public init(label: String, value: String) {
                self.label = label
                self.value = value
            }
        }

        /// An exporter's page, or a file or folder of the local kernel.
        public enum Location: Hashable, Sendable {
            case url(ServiceURL)
            case path(String)
        }

        public var name: String
        public var source: MeterSource
        public var location: Location
        /// In the order of the file; all must hold.
        public var match: [Match]
        public var scope: Profile.MeterScope
        /// What may be said of its watts; an emulated exporter only models them.
        public var provenance: Provenance

        public init(
            name: String, source: MeterSource, location: Location, match: [Match] = [],
            scope: Profile.MeterScope, provenance: Provenance = .measured
        ) {
            self.name = name
            self.source = source
            self.location = location
            self.match = match
            self.scope = scope
            self.provenance = provenance
        }
    }
}

extension Profile.MeterScope {
    /// True if a meter of this scope also sees what one of the other scope sees. Two of the same
    /// scope are taken to see different parts, as a meter for each of eight accelerators does.
    func holds(_ other: Profile.MeterScope) -> Bool {
        switch self {
        case .wall: other != .wall
        case .card: other == .accelerator
        case .accelerator, .host: false
        }
    }
}
