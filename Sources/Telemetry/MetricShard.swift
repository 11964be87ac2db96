import Synchronization

/// A thousand cells in one allocation.
private final class CellChunk: Sendable {
    static let size = 1_024
    let cells: InlineArray<1_024, Atomic<UInt64>>

    init() { cells = InlineArray { _ in Atomic<UInt64>(0) } }
}

/// The cells of one writer: each reactor has its own, so that counting needs neither lock nor
/// atomic read-modify-write, only a load and a store that the rendering thread may overlook for a
/// moment. **One thread writes a shard;** any thread may read it.
public final class MetricShard: Sendable {
    private let chunks: [CellChunk]

    init(cells: Int) {
        chunks = (0..<(cells + CellChunk.size - 1) / CellChunk.size).map { _ in CellChunk() }
    }

    @inline(__always)
    func read(_ cell: Int) -> UInt64 {
        chunks[cell / CellChunk.size].cells[cell % CellChunk.size].load(ordering: .relaxed)
    }

    @inline(__always)
    func write(_ value: UInt64, to cell: Int) {
        chunks[cell / CellChunk.size].cells[cell % CellChunk.size]
            .store(value, ordering: .relaxed)
    }

    /// Wraps around after 2^64, as counters do.
    @inline(__always)
    func add(_ value: UInt64, to cell: Int) { write(read(cell) &+ value, to: cell) }
}

/// A number that only grows. A handle: copy it freely.
public struct Counter: Sendable {
    let cell: Int

    /// In the family's counts; see ``MetricDescriptor/unitPerCount``.
    @inline(__always)
    public func add(_ count: UInt64 = 1, shard: MetricShard) { shard.add(count, to: cell) }
}

/// A number that goes up and down. The page shows the sum over all shards.
public struct Gauge: Sendable {
    let cell: Int

    @inline(__always)
    public func set(_ value: Int64, shard: MetricShard) {
        shard.write(UInt64(bitPattern: value), to: cell)
    }

    /// A negative number takes away.
    @inline(__always)
    public func add(_ value: Int64, shard: MetricShard) {
        shard.add(UInt64(bitPattern: value), to: cell)
    }
}
