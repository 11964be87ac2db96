/// Lengths of answers, counted in buckets of a quarter octave: 0, 1, 2, 3, 4, 5, 6, 7, 8-9, 10-11
/// ... up to 2^17. Within a bucket they are taken to be spread evenly. Beyond ``memory`` the old
/// count half, so that a change shows within as many answers.
///
/// Worked: answers of 10, 10, 100 and 1 000 tokens. After 50 tokens the ones of 100 and 1 000 are
/// left, so about 480 more are expected; after 200 only that of 1 000 is, and about 760 are.
struct LengthHistogram: Sendable {
    static let buckets = 64
    static let memory: Float = 500
    /// Answers below which nothing is said.
    static let fewest: Float = 30

    private var counts = InlineArray<64, Float>(repeating: 0)
    private(set) var total: Float = 0

    /// The bucket that holds `length`.
    static func bucket(_ length: Int) -> Int {
        guard length >= 4 else { return max(length, 0) }
        let octave = Int.bitWidth - 1 - length.leadingZeroBitCount
        return min(4 * (octave - 1) + (length >> (octave - 2)) & 3, buckets - 1)
    }

    /// The least length in it.
    static func start(of bucket: Int) -> Int {
        guard bucket >= 4 else { return max(bucket, 0) }
        return (4 + bucket & 3) << (bucket / 4 - 1)
    }

    mutating func add(_ length: Int) {
        if total >= Self.memory {
            for bucket in 0..<Self.buckets { counts[bucket] /= 2 }
            total /= 2
        }
        counts[Self.bucket(length)] += 1
        total += 1
    }

    /// `E[L | L > g] - g`: tokens that one may expect of an answer that has `g` and goes on;
    /// `nil` if none, or next to none, ever became longer.
    func expectedRest(after length: Int) -> Double? {
        let length = max(length, 0)
        let first = Self.bucket(length)
        var weight = 0.0
        var sum = 0.0
        for bucket in first..<Self.buckets where counts[bucket] > 0 {
            let end = Self.start(of: bucket + 1)
            let start = Self.start(of: bucket)
            let from = bucket == first ? max(length + 1, start) : start
            let width = end - start
            guard from < end else { continue }
            let share = Double(counts[bucket]) * Double(end - from) / Double(width)
            weight += share
            sum += share * (Double(from + end - 1) / 2)
        }
        return weight < 1 ? nil : sum / weight - Double(length)
    }

    /// The length below which a share of the answers lies.
    func quantile(_ share: Double) -> Double {
        var left = share * Double(total)
        for bucket in 0..<Self.buckets where counts[bucket] > 0 {
            let count = Double(counts[bucket])
            let start = Double(Self.start(of: bucket))
            if left <= count {
                return start + left / count * (Double(Self.start(of: bucket + 1)) - start)
            }
            left -= count
        }
        return Double(Self.start(of: Self.buckets))
    }
}
