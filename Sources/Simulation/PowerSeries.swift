import InferenceTypes

/// True power of the fleet over time: means over equal intervals, as a fast meter would see it.
public struct PowerSeries: Hashable, Sendable {
    /// Of one sample.
    public let interval: TimeSpan
    /// Mean watts of each interval from time zero on.
    public private(set) var watts: [Double] = []
    private var energy = 0.0

    public init(interval: TimeSpan) { self.interval = interval }

    /// `energy`: joules since time zero, at the end of the next interval.
    mutating func add(energy total: Double) {
        watts.append((total - energy) / interval.seconds)
        energy = total
    }

    /// Running means over one second, one per sample from the first full second on.
    public var oneSecondMeans: [Double] {
        let count = max(Int((1 / interval.seconds).rounded()), 1)
        guard watts.count >= count else { return [] }
        var sum = watts[..<count].reduce(0, +)
        var means = [sum / Double(count)]
        for index in count..<watts.count {
            sum += watts[index] - watts[index - count]
            means.append(sum / Double(count))
        }
        return means
    }

    public var peak: Double { oneSecondMeans.max() ?? 0 }

    /// Mean over the samples that lie wholly between two times.
    public func mean(from start: TimeSpan, to end: TimeSpan) -> Double {
        let first = Int((start.seconds / interval.seconds).rounded(.up))
        let last = min(Int((end.seconds / interval.seconds).rounded(.down)), watts.count)
        guard first >= 0, first < last else { return 0 }
        return watts[first..<last].reduce(0, +) / Double(last - first)
    }

    /// The longest time for which the mean over a second stayed above the limit.
    public func longestTime(above limit: Watts) -> TimeSpan {
        var longest = 0
        var current = 0
        for mean in oneSecondMeans {
            // A clock that holds it exactly is not above it by a rounding.
            current = mean > limit.value * (1 + 1e-6) ? current + 1 : 0
            longest = max(longest, current)
        }
        return TimeSpan(seconds: Double(longest) * interval.seconds)
    }
}
