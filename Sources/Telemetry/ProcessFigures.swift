import Glibc

/// What the kernel says of this process, under the names that every Prometheus client uses.
struct ProcessFigures {
    var cpuSeconds: Double?
    var residentBytes: Double?
    var openDescriptors: Double?
    var maxDescriptors: Double?

    /// Reads `/proc`.
    static func current() -> ProcessFigures {
        var figures = ProcessFigures()
        figures.cpuSeconds = KernelFile.read("/proc/self/stat").flatMap {
            cpuSeconds(stat: $0, ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))))
        }
        figures.residentBytes = KernelFile.read("/proc/self/statm").flatMap {
            residentBytes(statm: $0, pageBytes: Double(sysconf(Int32(_SC_PAGESIZE))))
        }
        // The folder is itself open while it is counted.
        figures.openDescriptors = KernelFile.entryCount("/proc/self/fd").map { Double($0 - 1) }
        figures.maxDescriptors = KernelFile.read("/proc/self/limits").flatMap(maxDescriptors)
        return figures
    }

    /// Fields 14 and 15, counted after the command's closing bracket: the command may hold spaces
    /// and brackets of its own.
    static func cpuSeconds(stat: String, ticksPerSecond: Double) -> Double? {
        guard let bracket = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[bracket...].dropFirst().split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]),
            ticksPerSecond > 0
        else { return nil }
        return (user + system) / ticksPerSecond
    }

    static func residentBytes(statm: String, pageBytes: Double) -> Double? {
        let fields = statm.split(separator: " ")
        return fields.count > 1 ? Double(fields[1]).map { $0 * pageBytes } : nil
    }

    static func maxDescriptors(limits: String) -> Double? {
        for line in limits.split(separator: "\n") where line.hasPrefix("Max open files") {
            let fields = line.split(separator: " ")
            return fields.count > 3 ? Double(fields[3]) : nil
        }
        return nil
    }

    static func register(in builder: inout MetricRegistryBuilder) {
        func add(
            _ name: String, _ kind: MetricDescriptor.Kind, _ unit: String, _ help: String,
            _ figure: @escaping @Sendable (ProcessFigures) -> Double?
        ) {
            _ = builder.callback(MetricDescriptor(name, kind, help: help, unit: unit)) {
                figure(.current()).map { [LabelledValue([], $0)] } ?? []
            }
        }
        add("process_cpu_seconds_total", .counter, "seconds", "CPU time, user and system") {
            $0.cpuSeconds
        }
        add("process_resident_memory_bytes", .gauge, "bytes", "Resident memory") {
            $0.residentBytes
        }
        add("process_open_fds", .gauge, "", "Open file descriptors") { $0.openDescriptors }
        add("process_max_fds", .gauge, "", "Most file descriptors that may be open") {
            $0.maxDescriptors
        }
    }
}
