/// One sample of a page: positions in the page's bytes, read when asked for. Valid within the
/// visit that it was handed to and after it.
public struct PrometheusSample: Sendable {
    let page: [UInt8]
    let nameRange: Range<Int>
    /// Between the braces; empty without them. Its syntax was checked.
    let labelRange: Range<Int>
    public let value: Double
    /// Milliseconds since 1970, if the line had one.
    public let timestamp: Int64?

    public var name: String { String(decoding: page[nameRange], as: UTF8.self) }

    /// Compares without making a text.
    public func isNamed(_ name: String) -> Bool { page[nameRange].elementsEqual(name.utf8) }

    /// The value of a label, unescaped. Names are compared without regard to case: exporters have
    /// changed theirs (`Hostname`, `hostname`).
    public func label(_ name: String) -> String? {
        var scanner = LabelScanner(page: page, position: labelRange.lowerBound,
            end: labelRange.upperBound)
        while let (labelName, value) = scanner.next() {
            if Self.equalFoldingCase(page[labelName], name.utf8) {
                return Self.unescaped(page[value])
            }
        }
        return nil
    }

    private static func equalFoldingCase(
        _ a: ArraySlice<UInt8>, _ b: String.UTF8View
    ) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { folded($0) == folded($1) }
    }

    private static func folded(_ unit: UInt8) -> UInt8 {
        unit >= UInt8(ascii: "A") && unit <= UInt8(ascii: "Z") ? unit + 32 : unit
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "\\")) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var result: [UInt8] = []
        var escaped = false
        for unit in bytes {
            if escaped {
                result.append(unit == UInt8(ascii: "n") ? UInt8(ascii: "\n") : unit)
                escaped = false
            } else if unit == UInt8(ascii: "\\") {
                escaped = true
            } else {
                result.append(unit)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// Reads pages in Prometheus's text format, and of OpenMetrics what looks the same. Pages come
/// from other programs: whatever they hold, a bad line is counted and passed over.
public enum PrometheusText {
    public struct Limits: Hashable, Sendable {
        /// Samples beyond this many are not read.
        public var samples = 100_000
        /// A longer line is malformed.
        public var lineBytes = 16 << 10

        public init() {}
    }

    /// What became of a page.
    public struct Summary: Hashable, Sendable {
        public var samples = 0
        public var malformedLines = 0
        /// The page had more samples than the limit.
        public var isTruncated = false
    }

    /// Calls `visit` for each sample, in the order of the page.
    @discardableResult
    public static func parse(
        _ page: [UInt8], limits: Limits = Limits(), visit: (PrometheusSample) -> Void
    ) -> Summary {
        var summary = Summary()
        var start = 0
        while start < page.count {
            let end = page[start...].firstIndex(of: UInt8(ascii: "\n")) ?? page.count
            var line = LineScanner(page: page, position: start, end: end)
            let isLong = end - start > limits.lineBytes
            start = end + 1
            line.skipBlanks()
            if line.isAtEnd || line.peek == UInt8(ascii: "#") { continue }
            guard !isLong, let sample = line.sample() else {
                summary.malformedLines += 1
                continue
            }
            guard summary.samples < limits.samples else {
                summary.isTruncated = true
                return summary
            }
            summary.samples += 1
            visit(sample)
        }
        return summary
    }
}
