import InferenceTypes

/// What our own streams teach of an endpoint's speed: the time of a decode step by batch, and of
/// the first token what a prompt adds and what is there without one. Everything as multiplier of
/// the profile's figure.
///
/// A step's time is learned from spans in which nothing joined, left or was prefilled, so that all
/// of it went into decoding at one batch: the span over the tokens that one sequence gained in it.
/// Spans are gathered until they hold ``enoughTurns``; each such sum is a sample, and the median of
/// the last ``memory`` samples of the nearest of the batches 1, 2, 4 ... 256 counts. A stall of a
/// second spoils one sample and moves a median of fifteen little.
///
/// The first token of a request that found no prompt before it came after `H + n / R + tau`. A
/// ``BoundedFilter`` of two learns H and 1 / R from that.
///
/// Worked: profile 10 ms at 8 sequences; one sequence gains 20 tokens in 250 ms, another 19:
/// 500 ms over 39 x 10 ms is a multiplier of 1.28.
public struct TimeLearner: Sendable {
    static let memory = 15
    static let enoughTurns = 48.0
    /// Of a first token's time: relative standard deviation, and in seconds at least.
    static let deviation = 0.1
    static let leastDeviation = 0.004

    /// By knot: samples, the oldest overwritten first.
    private var samples: [Double]
    private var counts: [Int]
    private var seconds: [Double]
    private var expected: [Double]
    private var turns: [Double]
    private var scratch: [Double] = []
    private var start = BoundedFilter(count: 2)
    private var terms = [0.0, 0.0]
    /// When the endpoint's batch last changed, or a prompt was being computed.
    private var disturbedAt = MonotonicTime(nanoseconds: .min)
    /// Medians have moved since ``takeChange()``.
    private var hasChanged = false

    public init() {
        samples = Array(repeating: 1, count: EnergyPrior.rises * Self.memory)
        counts = Array(repeating: 0, count: EnergyPrior.rises)
        seconds = Array(repeating: 0, count: EnergyPrior.rises)
        expected = Array(repeating: 0, count: EnergyPrior.rises)
        turns = Array(repeating: 0, count: EnergyPrior.rises)
        scratch.reserveCapacity(Self.memory)
    }

    /// A sequence joined or left, or a prompt was handed in or done.
    public mutating func disturbed(at now: MonotonicTime) { disturbedAt = max(disturbedAt, now) }

    /// One request's sequences gained tokens from `then` to `now`, at a batch that the endpoint had
    /// all the while.
    ///
    /// - Parameters:
    ///   - gained: tokens of one of its sequences.
    ///   - step: the profile's time of a step at that batch.
    public mutating func gained(
        _ gained: Double, from then: MonotonicTime, to now: MonotonicTime, batch: Int,
        step: TimeSpan
    ) {
        guard then >= disturbedAt, now > then, batch > 0, step > .zero, gained >= 0,
            gained < 1e6
        else { return }
        let knot = Self.knot(of: batch)
        seconds[knot] += (now - then).seconds
        turns[knot] += gained
        expected[knot] += gained * step.seconds
        // What stands still for long is broken, not slow.
        guard turns[knot] >= Self.enoughTurns || seconds[knot] > 600 else { return }
        if expected[knot] > 0 {
            let sample = seconds[knot] / expected[knot]
            samples[knot * Self.memory + counts[knot] % Self.memory] = min(
                max(sample, BoundedFilter.bounds.lowerBound), BoundedFilter.bounds.upperBound)
            counts[knot] = counts[knot] < 1 << 30 ? counts[knot] + 1 : Self.memory
            hasChanged = true
        }
        seconds[knot] = 0
        turns[knot] = 0
        expected[knot] = 0
    }

    /// The first token of a request that found no other prompt in its way.
    ///
    /// - Parameters:
    ///   - overhead, prefill, step: what the profile says of H, n / R and tau.
    public mutating func answered(
        after time: TimeSpan, overhead: TimeSpan, prefill: TimeSpan, step: TimeSpan, batch: Int
    ) {
        let decode = step.seconds * factor(knot: Self.knot(of: max(batch, 1)))
        let rest = max(time.seconds - decode, 0)
        terms[0] = overhead.seconds
        terms[1] = prefill.seconds
        start.update(
            terms, reading: rest,
            deviation: max(Self.deviation * time.seconds, Self.leastDeviation, decode), seconds: 1)
        hasChanged = true
    }

    /// True once after something was learned.
    public mutating func takeChange() -> Bool {
        defer { hasChanged = false }
        return hasChanged
    }

    /// Of H.
    public var overheadFactor: Double { start.state[0] }
    /// Of 1 / R.
    public var prefillFactor: Double { start.state[1] }

    /// 1, 2, 4 ... 256: the nearest in logarithm.
    static func knot(of batch: Int) -> Int {
        let log = Mathematics.log2(Double(max(batch, 1)))
        return min(max(Int(log + 0.5), 0), EnergyPrior.rises - 1)
    }

    /// Of tau at a knot: its own median, else that of the nearest knot that has one, else 1.
    mutating func factor(knot: Int) -> Double {
        for distance in 0..<EnergyPrior.rises {
            for other in [knot - distance, knot + distance]
            where counts.indices.contains(other) && counts[other] > 0 {
                return median(of: other)
            }
        }
        return 1
    }

    private mutating func median(of knot: Int) -> Double {
        let count = min(counts[knot], Self.memory)
        let first = knot * Self.memory
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: samples[first..<first + count])
        scratch.sort()
        return count % 2 == 1
            ? scratch[count / 2] : (scratch[count / 2 - 1] + scratch[count / 2]) / 2
    }

    /// Of tau at every knot.
    mutating func factors() -> [Double] { (0..<EnergyPrior.rises).map { factor(knot: $0) } }
}
