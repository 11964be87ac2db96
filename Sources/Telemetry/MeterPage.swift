import InferenceTypes

/// The exporters whose pages are understood. Raw values are the configuration's words.
public enum ExporterKind: String, CaseIterable, Sendable {
    case dcgm = "dcgm-exporter"
    case rbln = "rbln-exporter"
    case kepler

    /// More than this from one part is a wrong unit, not a power: twice the largest catalogue
    /// value (GB300 1,400 W; CR13 600 W; a rack server's CPU socket).
    public var believablePower: Watts {
        switch self {
        case .dcgm: Watts(3_000)
        case .rbln: Watts(1_200)
        case .kepler: Watts(10_000)
        }
    }
}

/// Reads power and energy from an exporter's page.
public struct MeterPage: Sendable {
    /// A label that samples must carry.
    public struct Match: Hashable, Sendable {
        public var label: String
        public var value: String

        public init(label: String, value: String) {
            self.label = label
            self.value = value
        }
    }

    public private(set) var reading = PowerReading()
    public private(set) var summary = PrometheusText.Summary()

    /// One card, GPU or zone. Several samples of it are one reading, not several powers.
    private struct Part {
        var key: String
        /// Zones of lower rank hide those of higher rank; 0 everywhere but in Kepler.
        var rank = 0
        /// Newer names hide older ones.
        var generation = 0
        var value: Double
    }

    private var powers: [Part] = []
    private var energies: [Part] = []

    public init(_ page: [UInt8], from exporter: ExporterKind, match: [Match] = []) {
        var visited = self
        summary = PrometheusText.parse(page) { sample in
            guard let use = Self.use(of: sample, exporter),
                match.allSatisfy({ sample.label($0.label) == $0.value })
            else { return }
            visited.take(sample, use, exporter)
        }
        powers = Self.chosen(visited.powers)
        energies = Self.chosen(visited.energies)
        reading.isSuspect = visited.reading.isSuspect
        reading.clocks = visited.reading.clocks
        reading.parts = max(powers.count, energies.count)
        if !powers.isEmpty { reading.power = Watts(powers.reduce(0) { $0 + $1.value }) }
        if !energies.isEmpty { reading.energy = Joules(energies.reduce(0) { $0 + $1.value }) }
    }

    // MARK: Samples

    private enum Quantity { case power, energy, frequency, limit, state }

    private struct Use {
        var quantity: Quantity
        var generation = 0
        /// Watts or joules per unit of the sample.
        var scale = 1.0
    }

    /// What the sample's name makes of it.
    private static func use(of sample: PrometheusSample, _ exporter: ExporterKind) -> Use? {
        switch exporter {
        case .dcgm:
            if sample.isNamed("DCGM_FI_DEV_POWER_USAGE") { return Use(quantity: .power) }
            if sample.isNamed("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION") {
                return Use(quantity: .energy, scale: 1e-3)
            }
            if sample.isNamed("DCGM_FI_DEV_SM_CLOCK") { return Use(quantity: .frequency) }
            if sample.isNamed("DCGM_FI_DEV_POWER_MGMT_LIMIT") { return Use(quantity: .limit) }
        case .rbln:
            if sample.isNamed("rbln_npu_power") { return Use(quantity: .power, generation: 1) }
            if sample.isNamed("RBLN_DEVICE_STATUS:CARD_POWER") { return Use(quantity: .power) }
            if sample.isNamed("rbln_npu_power_state") { return Use(quantity: .state) }
        case .kepler:
            if sample.isNamed("kepler_node_cpu_watts") { return Use(quantity: .power) }
            if sample.isNamed("kepler_node_cpu_joules_total") { return Use(quantity: .energy) }
        }
        return nil
    }

    private mutating func take(_ sample: PrometheusSample, _ use: Use, _ exporter: ExporterKind) {
        guard !Self.isBlank(sample.value) else { return }
        let value = sample.value * use.scale
        guard use.quantity == .power || use.quantity == .energy else {
            takeClock(value, use.quantity)
            return
        }
        let isBelievable = value >= 0
            && (use.quantity == .energy || value <= exporter.believablePower.value)
        guard isBelievable else {
            reading.isSuspect = true
            return
        }
        let part = Part(
            key: Self.key(of: sample, exporter), rank: Self.rank(of: sample, exporter),
            generation: use.generation, value: value)
        switch use.quantity {
        case .power: Self.merge(part, into: &powers)
        case .energy: Self.merge(part, into: &energies)
        case .frequency, .limit, .state: break
        }
    }

    /// The slowest part sets the pace of all.
    private mutating func takeClock(_ value: Double, _ quantity: Quantity) {
        guard value >= 0, value < 1e6 else { return }
        switch quantity {
        case .frequency:
            reading.clocks.frequency = min(reading.clocks.frequency ?? value, value)
        case .limit:
            let watts = Watts(value)
            reading.clocks.limit = min(reading.clocks.limit ?? watts, watts)
        case .state: reading.clocks.state = max(reading.clocks.state ?? 0, Int(value))
        case .power, .energy: break
        }
    }

    /// What DCGM prints where it has no value: the blanks of its integer and floating types.
    /// Absent values of other exporters are NaN.
    static func isBlank(_ value: Double) -> Bool {
        if !value.isFinite { return true }
        return value >= 9.2e18 || (value >= 140_737_488_355_328 && value < 140_737_488_355_344)
            || (value >= 2_147_483_632 && value <= 2_147_483_647)
    }

    /// What tells two parts apart. Under MIG every instance repeats its GPU's power; every NPU of
    /// a card repeats the card's.
    private static func key(of sample: PrometheusSample, _ exporter: ExporterKind) -> String {
        let host = sample.label("hostname") ?? sample.label("node_name") ?? ""
        switch exporter {
        case .dcgm:
            return host + "/" + (sample.label("UUID") ?? sample.label("gpu") ?? "")
        case .rbln:
            return host + "/" + (sample.label("card") ?? sample.label("uuid") ?? "")
        case .kepler:
            return host + "/" + (sample.label("zone") ?? "") + "/" + (sample.label("path") ?? "")
        }
    }

    /// Kepler's zones overlap, the widest counts: psys holds packages, a package its cores.
    private static func rank(of sample: PrometheusSample, _ exporter: ExporterKind) -> Int {
        guard exporter == .kepler, let zone = sample.label("zone") else { return 0 }
        let order = ["psys", "platform", "package", "core", "uncore", "dram"]
        return order.firstIndex { zone.hasPrefix($0) } ?? order.count
    }

    /// One value per part and generation: the largest, should its samples differ.
    private static func merge(_ part: Part, into parts: inout [Part]) {
        let index = parts.firstIndex {
            $0.key == part.key && $0.generation == part.generation
        }
        if let index {
            parts[index].value = max(parts[index].value, part.value)
        } else {
            parts.append(part)
        }
    }

    private static func chosen(_ parts: [Part]) -> [Part] {
        let generation = parts.map(\.generation).max() ?? 0
        let newest = parts.filter { $0.generation == generation }
        let rank = newest.map(\.rank).min() ?? 0
        return newest.filter { $0.rank == rank }
    }
}
