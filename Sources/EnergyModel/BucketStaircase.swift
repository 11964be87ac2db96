/// The batches for which an accelerator's decode graph was compiled. A step of a batch between
/// two of them runs the larger graph and costs what that costs: filling a bucket is free,
/// crossing its edge is not.
///
/// Worked, buckets 1, 4, 8, 16: a batch of 1 runs as 1, 2 as 4, 5 as 8, 16 as 16, 40 as 16 (the
/// engine holds the rest back). No buckets: every batch runs as itself.
public struct BucketStaircase: Hashable, Sendable {
    private let edges: [Int]

    /// `buckets` ascending, as ``Profile/decodeBuckets`` holds them; others than positive
    /// ascending numbers are left out.
    public init(_ buckets: [Int]) {
        var edges: [Int] = []
        for bucket in buckets where bucket > (edges.last ?? 0) { edges.append(bucket) }
        self.edges = edges
    }

    /// The largest batch that one step can run; `nil` without buckets.
    public var largest: Int? { edges.last }

    /// The batch as which `batch` sequences run.
    public func bucket(holding batch: Int) -> Int {
        guard batch > 0, let last = edges.last else { return max(batch, 0) }
        for edge in edges where edge >= batch { return edge }
        return last
    }
}
