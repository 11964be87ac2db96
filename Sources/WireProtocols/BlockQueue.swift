/// A first-in-first-out byte buffer in blocks of a ``BlockPool``. An empty queue holds no memory,
/// and a full one no more than a block above its contents, so that thousands of open but quiet
/// streams cost nothing and a slow reader costs what waits for it.
public struct BlockQueue: ~Copyable {
    private let pool: BlockPool
    private var first: UnsafeMutableRawPointer?
    private var last: UnsafeMutableRawPointer?
    /// Where the contents begin in the first block and end in the last, counted from the block's
    /// address.
    private var head = BlockPool.linkBytes
    private var tail = BlockPool.linkBytes

    public private(set) var count = 0

    private static let blockEnd = BlockPool.linkBytes + BlockPool.blockBytes

    public init(pool: BlockPool) { self.pool = pool }

    deinit {
        var next = first
        while let block = next {
            next = BlockPool.next(of: block)
            pool.give(block)
        }
    }

    public var isEmpty: Bool { count == 0 }

    // MARK: In

    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard var source = bytes.baseAddress else { return }
        var left = bytes.count
        while left > 0 {
            let room = room()
            let step = min(left, room.count)
            // An empty room has no address; `room()` never gives one.
            guard let target = room.baseAddress, step > 0 else { return }
            target.copyMemory(from: source, byteCount: step)
            commit(step)
            source += step
            left -= step
        }
    }

    public mutating func append(text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Free memory behind the contents, at least one byte; what is written there becomes part of
    /// the queue with ``commit(_:)``.
    public mutating func room() -> UnsafeMutableRawBufferPointer {
        if let last, tail < Self.blockEnd {
            return UnsafeMutableRawBufferPointer(start: last + tail, count: Self.blockEnd - tail)
        }
        let block = pool.take()
        if let last { BlockPool.setNext(of: last, to: block) } else { first = block }
        if first == block { head = BlockPool.linkBytes }
        last = block
        tail = BlockPool.linkBytes
        return UnsafeMutableRawBufferPointer(start: block + tail, count: BlockPool.blockBytes)
    }

    public mutating func commit(_ count: Int) {
        precondition(count >= 0 && count <= Self.blockEnd - tail && last != nil)
        tail += count
        self.count += count
    }

    // MARK: Out

    /// The contents' beginning, as far as it lies in one piece; empty only if the queue is.
    public var front: UnsafeRawBufferPointer {
        guard let first else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let end = first == last ? tail : Self.blockEnd
        return UnsafeRawBufferPointer(start: first + head, count: end - head)
    }

    /// Calls `body` with the pieces of the contents in their order, `limit` of them at most.
    public func forEachPiece(limit: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        var next = first
        var start = head
        var left = limit
        while let block = next, left > 0 {
            let end = block == last ? tail : Self.blockEnd
            let count = end - start
            if count > 0 { body(UnsafeRawBufferPointer(start: block + start, count: count)) }
            next = BlockPool.next(of: block)
            start = BlockPool.linkBytes
            left -= 1
        }
    }

    /// Drops the first `count` bytes.
    public mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count)
        self.count -= count
        var left = count
        while let block = first {
            if self.count == 0 {
                clear()
                return
            }
            let here = (block == last ? tail : Self.blockEnd) - head
            guard left >= here else {
                head += left
                return
            }
            left -= here
            first = BlockPool.next(of: block)
            head = BlockPool.linkBytes
            pool.give(block)
        }
    }

    /// Moves the first `count` bytes to `target`.
    public mutating func move(_ count: Int, to target: UnsafeMutableRawPointer) {
        precondition(count >= 0 && count <= self.count)
        var target = target
        var left = count
        while left > 0 {
            let piece = front
            let step = min(left, piece.count)
            guard let source = piece.baseAddress, step > 0 else { return }
            target.copyMemory(from: source, byteCount: step)
            consume(step)
            target += step
            left -= step
        }
    }

    public mutating func clear() {
        while let block = first {
            first = BlockPool.next(of: block)
            pool.give(block)
        }
        last = nil
        head = BlockPool.linkBytes
        tail = BlockPool.linkBytes
        count = 0
    }
}
