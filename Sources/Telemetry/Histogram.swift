import InferenceTypes

/// Fixed bucket bounds, one set per kind of duration.
public enum BucketLayout: Sendable, CaseIterable {
    /// Whole requests: 1 ms to 10 min.
    case request
    /// Times to first token: 5 ms to 80 s.
    case firstToken
    /// Gaps between tokens: 1 ms to 2.5 s.
    case tokenGap
    /// The gateway's own time: 5 us to 1 s.
    case overhead

    /// Upper bounds in nanoseconds, ascending; one more bucket holds what is above.
    public var bounds: [Int64] {
        switch self {
        case .request: Self.requestBounds
        case .firstToken: Self.firstTokenBounds
        case .tokenGap: Self.tokenGapBounds
        case .overhead: Self.overheadBounds
        }
    }

    private static let requestBounds: [Int64] = [
        1_000_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
        60_000_000_000, 120_000_000_000, 300_000_000_000, 600_000_000_000,
    ]
    private static let firstTokenBounds: [Int64] = [
        5_000_000, 10_000_000, 20_000_000, 40_000_000, 60_000_000, 80_000_000, 100_000_000,
        250_000_000, 500_000_000, 750_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
        10_000_000_000, 20_000_000_000, 40_000_000_000, 80_000_000_000,
    ]
    private static let tokenGapBounds: [Int64] = [
        1_000_000, 2_500_000, 5_000_000, 10_000_000, 15_000_000, 20_000_000, 30_000_000,
        40_000_000, 50_000_000, 60_000_000, 80_000_000, 100_000_000, 150_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000,
    ]
    private static let overheadBounds: [Int64] = [
        5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
        5_000_000, 10_000_000, 50_000_000, 100_000_000, 1_000_000_000,
    ]
}

/// Durations by bucket, with their sum. A handle: copy it freely.
public struct Histogram: Sendable {
    /// First of the buckets, ascending; the sum in nanoseconds follows them.
    @usableFromInline let cell: Int
    @usableFromInline let layout: BucketLayout

    @inlinable
    init(cell: Int, layout: BucketLayout) {
        self.cell = cell
        self.layout = layout
    }

    /// A negative duration counts as zero.
    public func observe(_ span: TimeSpan, shard: MetricShard) {
        let bounds = layout.bounds
        let nanoseconds = max(0, span.nanoseconds)
        var bucket = 0
        while bucket < bounds.count, nanoseconds > bounds[bucket] { bucket += 1 }
        shard.add(1, to: cell + bucket)
        shard.add(UInt64(nanoseconds), to: cell + bounds.count + 1)
    }

    public func observe(seconds: Double, shard: MetricShard) {
        observe(TimeSpan(seconds: seconds), shard: shard)
    }

    /// Cells that one histogram takes: its buckets, the one above them, and the sum.
    static func width(of layout: BucketLayout) -> Int { layout.bounds.count + 2 }
}
