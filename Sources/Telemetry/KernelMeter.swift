import InferenceTypes

/// Power and energy from sysfs, where a host has no exporter. For the control thread.
public enum KernelMeter {
    /// More than this is a wrong unit, not a host.
    public static let believablePower = Watts(20_000)

    /// An hwmon folder, or one of its `power*` or `energy*` files. The kernel writes microwatts
    /// and microjoules.
    public static func readHwmon(_ path: String) -> PowerReading {
        let file = path.split(separator: "/").last.map(String.init) ?? ""
        let isFile = file.hasPrefix("power") || file.hasPrefix("energy")
        let powers = isFile
            ? (file.hasPrefix("power") ? [path] : [])
            : [path + "/power1_average", path + "/power1_input"]
        let energies = isFile
            ? (file.hasPrefix("energy") ? [path] : []) : [path + "/energy1_input"]
        return reading(power: first(of: powers), energy: first(of: energies))
    }

    /// A powercap zone: a folder with `energy_uj`.
    public static func readPowercap(_ path: String) -> PowerReading {
        reading(power: nil, energy: first(of: [path + "/energy_uj", path]))
    }

    /// Microwatts and microjoules into a reading; what is beyond belief is left out.
    static func reading(power: Double?, energy: Double?) -> PowerReading {
        var reading = PowerReading()
        if let watts = power.map({ $0 / 1e6 }) {
            if watts >= 0, watts <= believablePower.value {
                reading.power = Watts(watts)
            } else {
                reading.isSuspect = true
            }
        }
        if let joules = energy.map({ $0 / 1e6 }) {
            if joules >= 0 { reading.energy = Joules(joules) } else { reading.isSuspect = true }
        }
        reading.parts = reading.power != nil || reading.energy != nil ? 1 : 0
        return reading
    }

    private static func first(of paths: [String]) -> Double? {
        for path in paths {
            guard let text = KernelFile.read(path, limit: 64) else { continue }
            let digits = text.prefix { $0 != "\n" }
            if let value = Int64(digits) { return Double(value) }
        }
        return nil
    }
}
