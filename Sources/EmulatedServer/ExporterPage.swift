import EmulatedEngine
import InferenceTypes

/// The power exporter beside a model server: energy is the integral of the engine's true power.
public enum ExporterPage {
    public enum Kind: String, CaseIterable, Sendable {
        /// dcgm-exporter: watts, and millijoules since boot.
        case dcgm
        /// rbln-metrics-exporter from 0.2.4 on: watts of the card, no energy counter.
        case rbln
        /// The same up to 0.2.3.
        case rblnLegacy = "rbln-legacy"
        /// Kepler: joules and watts of the host's CPUs.
        case kepler

        public static func `default`(for engine: EngineKind) -> Kind {
            switch engine {
            case .vllm, .sglang: .dcgm
            case .vllmRBLN: .rbln
            case .llamaServer: .kepler
            }
        }
    }

    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// - Parameters:
    ///   - power: true power now.
    ///   - energy: true energy since the start.
    ///   - isBusy: something runs.
    public static func text(
        _ kind: Kind, name: String, accelerator: String, power: Watts, energy: Joules,
        isBusy: Bool
    ) -> [UInt8] {
        var text = JSONText()
        switch kind {
        case .dcgm:
            let labels =
                "gpu=\"0\",UUID=\"GPU-\(name)\",pci_bus_id=\"00000000:01:00.0\","
                + "device=\"nvidia0\",modelName=\"\(escaped(accelerator))\",hostname=\"\(name)\""
            let millijoules = (energy.value * 1e3).rounded()
            add("DCGM_FI_DEV_POWER_USAGE", "gauge", labels, power.value, to: &text)
            add(
                "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", labels, millijoules,
                to: &text)
            add("DCGM_FI_DEV_GPU_UTIL", "gauge", labels, isBusy ? 100 : 0, to: &text)
        case .rbln, .rblnLegacy:
            let labels =
                "name=\"rbln0\",uuid=\"\(name)\",card=\"0\",deviceID=\"1220\","
                + "hostname=\"\(name)\",driver_version=\"3.2.2\",firmware_version=\"1.2\""
            let isNew = kind == .rbln
            let busy = isBusy ? 100.0 : 0
            add(
                isNew ? "rbln_npu_power" : "RBLN_DEVICE_STATUS:CARD_POWER", "gauge", labels,
                power.value, to: &text)
            add(
                isNew ? "rbln_npu_utilization" : "RBLN_DEVICE_STATUS:UTILIZATION", "gauge",
                labels, busy, to: &text)
            add(
                isNew ? "rbln_npu_health" : "RBLN_DEVICE_STATUS:HEALTH", "gauge", labels, 0,
                to: &text)
            if isNew { add("rbln_up", "gauge", "", 1, to: &text) }
        case .kepler:
            let labels =
                "node_name=\"\(name)\",path=\"/sys/class/hwmon/hwmon0\",zone=\"package\""
            add("kepler_node_cpu_joules_total", "counter", labels, energy.value, to: &text)
            add("kepler_node_cpu_watts", "gauge", labels, power.value, to: &text)
        }
        return text.bytes
    }

    private static func add(
        _ name: String, _ type: String, _ labels: String, _ value: Double,
        to text: inout JSONText
    ) {
        text.append(text: "# TYPE \(name) \(type)\n\(name)")
        if !labels.isEmpty { text.append(text: "{\(labels)}") }
        text.append(" ")
        // Counters of millijoules grow beyond what a Double prints without an exponent.
        if value == value.rounded(), abs(value) < 9e15 {
            text.append(number: Int(value))
        } else {
            text.append(number: value)
        }
        text.append("\n")
    }

    private static func escaped(_ label: String) -> String {
        var text = JSONText()
        text.appendEscaped(Array(label.utf8))
        return String(decoding: text.bytes, as: UTF8.self)
    }
}
