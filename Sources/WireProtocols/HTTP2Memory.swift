import CNGHTTP2

/// Memory of the HTTP/2 library's streams, frames and field lists on one reactor. Each request
/// takes and gives back half a dozen pieces of a few sizes; here that is a step off and onto a list
/// of spare ones, without the general allocator's search for neighbours.
///
/// In front of each piece stands the size class that it was made for: the library does not say how
/// large a piece is that it gives back. Not thread-safe: it belongs to one thread, and outlives the
/// sessions on it.
final class HTTP2Memory {
    /// Sizes of the classes, header included: 64, 128, 256, 512 and 1,024 bytes.
    static let classes = 5
    static let smallest = 64
    /// Keeps pieces aligned as `malloc` does.
    static let headerBytes = 16
    /// Spare bytes that a class keeps; more goes back to the allocator.
    private static let keptBytes = 128 << 10
    /// Class of a piece that is too large for any.
    private static let large = classes

    /// Spare pieces by class, each of which begins with the address of the next.
    private var tops = InlineArray<5, UnsafeMutableRawPointer?>(repeating: nil)
    private var spare = InlineArray<5, Int>(repeating: 0)

    deinit {
        for index in 0..<Self.classes {
            while let piece = tops[index] {
                tops[index] = piece.load(as: UnsafeMutableRawPointer?.self)
                free(piece)
            }
        }
    }

    /// Spare bytes, all classes together.
    var spareBytes: Int {
        var sum = 0
        for index in 0..<Self.classes { sum += spare[index] * (Self.smallest << index) }
        return sum
    }

    /// As `malloc`.
    @inline(__always)
    func take(_ count: Int) -> UnsafeMutableRawPointer? {
        let (size, isOver) = count.addingReportingOverflow(Self.headerBytes)
        guard !isOver, count >= 0 else { return nil }
        let index = Self.sizeClass(of: size)
        guard index < Self.classes else { return make(size, index) }
        guard let piece = tops[index] else { return make(Self.smallest << index, index) }
        tops[index] = piece.load(as: UnsafeMutableRawPointer?.self)
        spare[index] &-= 1
        piece.storeBytes(of: index, as: Int.self)
        return piece + Self.headerBytes
    }

    private func make(_ size: Int, _ index: Int) -> UnsafeMutableRawPointer? {
        guard let piece = malloc(size) else { return nil }
        piece.storeBytes(of: index, as: Int.self)
        return piece + Self.headerBytes
    }

    /// As `free`.
    @inline(__always)
    func give(_ pointer: UnsafeMutableRawPointer?) {
        guard let piece = pointer.map({ $0 - Self.headerBytes }) else { return }
        let index = piece.load(as: Int.self)
        guard index < Self.classes, spare[index] < (Self.keptBytes / Self.smallest) >> index else {
            free(piece)
            return
        }
        piece.storeBytes(of: tops[index], as: UnsafeMutableRawPointer?.self)
        tops[index] = piece
        spare[index] &+= 1
    }

    /// As `calloc`.
    func takeZeroed(_ count: Int, of size: Int) -> UnsafeMutableRawPointer? {
        let (bytes, isOver) = count.multipliedReportingOverflow(by: size)
        guard !isOver, let piece = take(bytes) else { return nil }
        memset(piece, 0, bytes)
        return piece
    }

    /// As `realloc`.
    func resize(_ pointer: UnsafeMutableRawPointer?, to count: Int) -> UnsafeMutableRawPointer? {
        guard let pointer else { return take(count) }
        let piece = pointer - Self.headerBytes
        let index = piece.load(as: Int.self)
        if index == Self.large {
            let (size, isOver) = count.addingReportingOverflow(Self.headerBytes)
            guard !isOver, let grown = realloc(piece, size) else { return nil }
            return grown + Self.headerBytes
        }
        let room = (Self.smallest << index) - Self.headerBytes
        if count <= room { return pointer }
        guard let grown = take(count) else { return nil }
        memcpy(grown, pointer, room)
        give(pointer)
        return grown
    }

    @inline(__always)
    private static func sizeClass(of size: Int) -> Int {
        if size <= smallest { return 0 }
        // 65...128 is the second one.
        return min(large, Int.bitWidth - (size - 1).leadingZeroBitCount - 6)
    }

    // MARK: For the library

    /// What the library calls, with this object behind it. It keeps a copy, and no reference.
    var callbacks: nghttp2_mem {
        nghttp2_mem(
            mem_user_data: Unmanaged.passUnretained(self).toOpaque(),
            malloc: { size, user in HTTP2Memory.with(user) { $0.take(size) } },
            free: { pointer, user in HTTP2Memory.with(user) { $0.give(pointer) } },
            calloc: { count, size, user in
                HTTP2Memory.with(user) { $0.takeZeroed(count, of: size) }
            },
            realloc: { pointer, size, user in
                HTTP2Memory.with(user) { $0.resize(pointer, to: size) }
            })
    }

    @inline(__always)
    private static func with<R>(
        _ user: UnsafeMutableRawPointer?, _ body: (HTTP2Memory) -> R?
    ) -> R? {
        guard let user else { return nil }
        return Unmanaged<HTTP2Memory>.fromOpaque(user)._withUnsafeGuaranteedRef { body($0) }
    }
}
