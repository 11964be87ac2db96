/// A length of time in whole nanoseconds. Sums saturate: 292 years is "never" here.
public struct TimeSpan: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static let zero = TimeSpan(nanoseconds: 0)
    /// Longer than any deadline: used for "no limit".
    public static let never = TimeSpan(nanoseconds: .max)

    public static func microseconds(_ value: Int64) -> TimeSpan { scaled(value, by: 1_000) }
    public static func milliseconds(_ value: Int64) -> TimeSpan { scaled(value, by: 1_000_000) }
    public static func seconds(_ value: Int64) -> TimeSpan { scaled(value, by: 1_000_000_000) }

    /// From fractional seconds; NaN becomes zero, anything out of range saturates.
    @inlinable
    public init(seconds value: Double) {
        let nanoseconds = value * 1e9
        if nanoseconds >= 9.2e18 {
            self = .never
        } else if nanoseconds <= -9.2e18 {
            self.nanoseconds = .min
        } else {
            self.nanoseconds = nanoseconds == nanoseconds ? Int64(nanoseconds) : 0
        }
    }

    public var seconds: Double { Double(nanoseconds) / 1e9 }
    public var milliseconds: Double { Double(nanoseconds) / 1e6 }

    public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.nanoseconds < b.nanoseconds }

    public static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan {
        let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return TimeSpan(nanoseconds: overflow ? (a.nanoseconds > 0 ? .max : .min) : sum)
    }

    public static func - (a: TimeSpan, b: TimeSpan) -> TimeSpan {
        let (sum, overflow) = a.nanoseconds.subtractingReportingOverflow(b.nanoseconds)
        return TimeSpan(nanoseconds: overflow ? (a.nanoseconds > 0 ? .max : .min) : sum)
    }

    private static func scaled(_ value: Int64, by factor: Int64) -> TimeSpan {
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        return TimeSpan(nanoseconds: overflow ? (value > 0 ? .max : .min) : product)
    }
}

/// An instant on a clock that never steps back: nanoseconds since an arbitrary origin. Live, the
/// shell reads CLOCK_MONOTONIC once per loop turn; in the simulator it is virtual time. Nothing
/// in the core reads a clock itself.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static let zero = MonotonicTime(nanoseconds: 0)
    public static let distantFuture = MonotonicTime(nanoseconds: .max)

    /// Seconds since the clock's origin.
    public var seconds: Double { Double(nanoseconds) / 1e9 }

    public static func < (a: MonotonicTime, b: MonotonicTime) -> Bool {
        a.nanoseconds < b.nanoseconds
    }

    public static func + (a: MonotonicTime, b: TimeSpan) -> MonotonicTime {
        let sum = TimeSpan(nanoseconds: a.nanoseconds) + b
        return MonotonicTime(nanoseconds: sum.nanoseconds)
    }

    public static func - (a: MonotonicTime, b: TimeSpan) -> MonotonicTime {
        let difference = TimeSpan(nanoseconds: a.nanoseconds) - b
        return MonotonicTime(nanoseconds: difference.nanoseconds)
    }

    public static func - (a: MonotonicTime, b: MonotonicTime) -> TimeSpan {
        TimeSpan(nanoseconds: a.nanoseconds) - TimeSpan(nanoseconds: b.nanoseconds)
    }
}
