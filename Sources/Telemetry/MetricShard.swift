import Synchronization

/// A thousand cells in one allocation.
@usableFromInline
final class CellChunk: Sendable {
    @inlinable static var size: Int { 1_024 }
    @usableFromInline let cells: InlineArray<1_024, Atomic<UInt64>>

    init() { cells = InlineArray { _ in Atomic<UInt64>(0) } }
}

/// The cells of one writer: each reactor has its own, so that counting needs neither lock nor
/// atomic read-modify-write, only a load and a store that the rendering thread may overlook for a
/// moment. **One thread writes a shard;** any thread may read it.
public final class MetricShard: Sendable {
    @usableFromInline let chunks: [CellChunk]

    init(cells: Int) {
        chunks = (0..<(cells + CellChunk.size - 1) / CellChunk.size).map { _ in CellChunk() }
    }

    @inlinable @inline(__always)
    func read(_ cell: Int) -> UInt64 {
        chunks[cell / CellChunk.size].cells[cell % CellChunk.size].load(ordering: .relaxed)
    }

    @inlinable @inline(__always)
    func write(_ value: UInt64, to cell: Int) {
        chunks[cell / CellChunk.size].cells[cell % CellChunk.size]
            .store(value, ordering: .relaxed)
    }

    /// Wraps around after 2^64, as counters do.
    @inlinable @inline(__always)
    func add(_ value: UInt64, to cell: Int) { write(read(cell) &+ value, to: cell) }
}

/// A number that only grows. A handle: copy it freely.
public struct Counter: Sendable {
    @usableFromInline let cell: Int

    @inlinable
    init(cell: Int) { self.cell = cell }

    /// In the family's counts; see ``MetricDescriptor/unitPerCount``.
    @inlinable @inline(__always)
    public func add(_ count: UInt64 = 1, shard: MetricShard) { shard.add(count, to: cell) }
}

/// A number that goes up and down. The page shows the sum over all shards.
public struct Gauge: Sendable {
    @usableFromInline let cell: Int

    @inlinable
    init(cell: Int) { self.cell = cell }

    @inlinable @inline(__always)
    public func set(_ value: Int64, shard: MetricShard) {
        shard.write(UInt64(bitPattern: value), to: cell)
    }

    /// A negative number takes away.
    @inlinable @inline(__always)
    public func add(_ value: Int64, shard: MetricShard) {
        shard.add(UInt64(bitPattern: value), to: cell)
    }
}
