/// Power in watts (joules per second).
public struct Watts: Hashable, Comparable, Sendable {
    public var value: Double
    public init(_ value: Double) { self.value = value }
    public static let zero = Watts(0)
    public static func < (a: Watts, b: Watts) -> Bool { a.value < b.value }
    public static func + (a: Watts, b: Watts) -> Watts { Watts(a.value + b.value) }
    public static func - (a: Watts, b: Watts) -> Watts { Watts(a.value - b.value) }
    public static func += (a: inout Watts, b: Watts) { a.value += b.value }
    /// W x s = J.
    public static func * (a: Watts, b: TimeSpan) -> Joules { Joules(a.value * b.seconds) }
}

/// Energy in joules, as predictions use it. Ledgers use ``Microjoules``, which add up exactly.
public struct Joules: Hashable, Comparable, Sendable {
    public var value: Double
    public init(_ value: Double) { self.value = value }
    public static let zero = Joules(0)
    public static func < (a: Joules, b: Joules) -> Bool { a.value < b.value }
    public static func + (a: Joules, b: Joules) -> Joules { Joules(a.value + b.value) }
    public static func - (a: Joules, b: Joules) -> Joules { Joules(a.value - b.value) }
    public static func += (a: inout Joules, b: Joules) { a.value += b.value }
}

/// Energy in whole microjoules: the unit of every ledger, so that sums balance to the last bit.
/// `Int64` holds 9.2 TJ: a hundred days of one megawatt; sums saturate instead of trapping.
public struct Microjoules: Hashable, Comparable, Sendable {
    public var value: Int64
    public init(_ value: Int64) { self.value = value }
    public static let zero = Microjoules(0)

    /// Rounds to the nearest microjoule; NaN becomes zero, out of range saturates.
    public init(_ joules: Joules) {
        let scaled = (joules.value * 1e6).rounded()
        guard scaled == scaled else {
            self.value = 0
            return
        }
        self.value = scaled >= 9.2e18 ? .max : (scaled <= -9.2e18 ? .min : Int64(scaled))
    }

    public var joules: Joules { Joules(Double(value) / 1e6) }
    public static func < (a: Microjoules, b: Microjoules) -> Bool { a.value < b.value }
    public static func + (a: Microjoules, b: Microjoules) -> Microjoules {
        let (sum, overflow) = a.value.addingReportingOverflow(b.value)
        return Microjoules(overflow ? (a.value > 0 ? .max : .min) : sum)
    }
    public static func += (a: inout Microjoules, b: Microjoules) { a = a + b }
    public static func - (a: Microjoules, b: Microjoules) -> Microjoules {
        let (difference, overflow) = a.value.subtractingReportingOverflow(b.value)
        return Microjoules(overflow ? (a.value > 0 ? .max : .min) : difference)
    }
}

/// Energy per token, J/token. Say of which token (input, output) in the name of the value.
public struct JoulesPerToken: Hashable, Comparable, Sendable {
    public var value: Double
    public init(_ value: Double) { self.value = value }
    public static func < (a: JoulesPerToken, b: JoulesPerToken) -> Bool { a.value < b.value }
}

/// Where a figure comes from. Every page that shows a watt or a joule shows this word beside it.
public enum Provenance: String, CaseIterable, Sendable {
    /// Read from a meter, or a published measurement of this very configuration.
    case measured
    /// Computed by a model whose parameters were measured or learned.
    case modelled
    /// Taken from a profile that says of itself that nobody measured it.
    case assumed

    /// The weaker of two: what may be said of a figure computed from both.
    @inlinable
    public func combined(with other: Provenance) -> Provenance {
        if self == .assumed || other == .assumed { return .assumed }
        if self == .modelled || other == .modelled { return .modelled }
        return .measured
    }
}
