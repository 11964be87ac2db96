/// Writes a page in Prometheus's text format 0.0.4.
public struct PrometheusWriter {
    public enum Value {
        case count(UInt64)
        case integer(Int64)
        case real(Double)
    }

    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    public private(set) var bytes: [UInt8] = []

    public init() { bytes.reserveCapacity(16 << 10) }

    public mutating func header(_ descriptor: MetricDescriptor) {
        append("# HELP \(descriptor.name) ")
        escape(descriptor.help, quotes: false)
        append("\n# TYPE \(descriptor.name) \(descriptor.kind.rawValue)\n")
    }

    public mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Value) {
        append(name)
        for (index, label) in labels.enumerated() {
            append(index == 0 ? "{" : ",")
            append(label.0)
            append("=\"")
            escape(label.1, quotes: true)
            append("\"")
        }
        append(labels.isEmpty ? " " : "} ")
        switch value {
        case .count(let count): append("\(count)")
        case .integer(let integer): append("\(integer)")
        case .real(let real): append(Self.text(real))
        }
        append("\n")
    }

    /// The shortest text that reads back as `value`; whole numbers without a fraction.
    public static func text(_ value: Double) -> String {
        if value != value { return "NaN" }
        if value == .infinity { return "+Inf" }
        if value == -.infinity { return "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func escape(_ text: String, quotes: Bool) {
        for unit in text.utf8 {
            switch unit {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            case UInt8(ascii: "\"") where quotes: append("\\\"")
            default: bytes.append(unit)
            }
        }
    }
}
