/// Memory of one reactor's buffers: blocks of one size, handed out and taken back. Buffers of many
/// sizes would leave holes that the allocator cannot fill again; blocks of one size fit any hole.
///
/// Not thread-safe: a pool and the queues on it belong to one thread.
public final class BlockPool {
    /// What one block holds, bytes: with its link, a page.
    public static let blockBytes = 4096 - linkBytes
    static let linkBytes = 16

    /// Blocks that queues hold now.
    public private(set) var used = 0
    /// Blocks that are kept for the next taker.
    public private(set) var spare = 0
    private let keptBlocks: Int
    /// For the HTTP/2 sessions whose streams wait in the blocks.
    let library = HTTP2Memory()
    /// The spare blocks, each of which begins with the address of the next.
    private var top: UnsafeMutableRawPointer?

    /// - Parameter keptBlocks: how many spare blocks are kept; more go back to the allocator.
    public init(keptBlocks: Int = 256) { self.keptBlocks = keptBlocks }

    deinit {
        while let block = top {
            top = Self.next(of: block)
            block.deallocate()
        }
    }

    /// Bytes of memory behind the blocks in use.
    public var usedBytes: Int { used * (Self.blockBytes + Self.linkBytes) }

    func take() -> UnsafeMutableRawPointer {
        used &+= 1
        guard let block = top else {
            let size = Self.blockBytes + Self.linkBytes
            let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            Self.setNext(of: block, to: nil)
            return block
        }
        top = Self.next(of: block)
        spare &-= 1
        Self.setNext(of: block, to: nil)
        return block
    }

    func give(_ block: UnsafeMutableRawPointer) {
        used &-= 1
        guard spare < keptBlocks else {
            block.deallocate()
            return
        }
        Self.setNext(of: block, to: top)
        top = block
        spare &+= 1
    }

    @inline(__always)
    static func next(of block: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        block.load(as: UnsafeMutableRawPointer?.self)
    }

    @inline(__always)
    static func setNext(of block: UnsafeMutableRawPointer, to next: UnsafeMutableRawPointer?) {
        block.storeBytes(of: next, as: UnsafeMutableRawPointer?.self)
    }
}
