/// A first-in-first-out byte buffer in one block of memory. An empty queue keeps no more than it
/// was told to, so that thousands of open but quiet streams cost little.
public struct ByteQueue: ~Copyable {
    /// A block up to this size is kept when the queue runs empty; a larger one is freed.
    private let keptCapacity: Int

    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var head = 0
    private var tail = 0

    public init(keeping keptCapacity: Int = 2048) { self.keptCapacity = keptCapacity }

    deinit { base?.deallocate() }

    public var count: Int { tail - head }
    public var isEmpty: Bool { tail == head }

    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        let target = reserve(bytes.count)
        target.copyMemory(from: source, byteCount: bytes.count)
        tail += bytes.count
    }

    public mutating func append(text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Room for `count` bytes at the end; they become readable with ``commit(_:)``.
    public mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        if let base, capacity - tail >= count { return base + tail }
        let used = tail - head
        if let base, capacity - used >= count, head >= used {
            base.copyMemory(from: base + head, byteCount: used)
            head = 0
            tail = used
            return base + used
        }
        var size = max(capacity, 256)
        while size < used + count { size *= 2 }
        // Past what is kept anyway, fewer and larger steps: each one copies what is there.
        if size > keptCapacity, capacity > 0 { size *= 2 }
        let grown = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        if let base {
            grown.copyMemory(from: base + head, byteCount: used)
            base.deallocate()
        }
        base = grown
        capacity = size
        head = 0
        tail = used
        return grown + used
    }

    public mutating func commit(_ count: Int) {
        precondition(count >= 0 && count <= capacity - tail)
        tail += count
    }

    /// The readable bytes; valid until the queue is next changed.
    public var readable: UnsafeRawBufferPointer {
        guard let base else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: base + head, count: tail - head)
    }

    public mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= tail - head)
        head += count
        if head == tail { clear() }
    }

    public mutating func clear() {
        head = 0
        tail = 0
        if capacity > keptCapacity, let base {
            base.deallocate()
            self.base = nil
            capacity = 0
        }
    }
}
