/// Finds bytes sixteen at a time. The compiler makes vector code of this only if vectors are
/// compared with vectors (not with one number) and a mask is looked at as two words.
enum ByteSearch {
    typealias Vector = SIMD16<UInt8>
    typealias Mask = SIMDMask<SIMD16<Int8>>

    static let width = 16

    @inline(__always)
    static func equal(_ bytes: Vector, _ byte: UInt8) -> Mask {
        bytes .== Vector(repeating: byte)
    }

    /// The first byte at or after `start` that `isSought` marks, else the count.
    @inline(__always)
    static func first(
        in bytes: UnsafeRawBufferPointer, from start: Int, _ isSought: (Vector) -> Mask
    ) -> Int {
        let count = bytes.count
        guard let base = bytes.baseAddress, start < count else { return start }
        var offset = start
        // Most strings are short.
        if count &- offset >= width {
            let hits = Hits(isSought((base + offset).loadUnaligned(as: Vector.self)))
            if hits.areAny { return offset &+ hits.first }
            offset &+= width
        }
        // Two at a time: what long text costs is mostly the looks at the masks.
        while count &- offset >= 2 &* width {
            let first = isSought((base + offset).loadUnaligned(as: Vector.self))
            let second = isSought((base + offset + width).loadUnaligned(as: Vector.self))
            if Hits(first .| second).areAny {
                let hits = Hits(first)
                if hits.areAny { return offset &+ hits.first }
                return offset &+ width &+ Hits(second).first
            }
            offset &+= 2 &* width
        }
        if count &- offset >= width {
            let hits = Hits(isSought((base + offset).loadUnaligned(as: Vector.self)))
            if hits.areAny { return offset &+ hits.first }
            offset &+= width
        }
        guard offset < count else { return count }
        return last(in: bytes, base, from: offset, isSought)
    }

    /// The same for fewer bytes than a vector has: with those before them, if there are any.
    @inline(__always)
    private static func last(
        in bytes: UnsafeRawBufferPointer, _ base: UnsafeRawPointer, from offset: Int,
        _ isSought: (Vector) -> Mask
    ) -> Int {
        let count = bytes.count
        if count >= width {
            let place = count &- width
            var hits = Hits(isSought((base + place).loadUnaligned(as: Vector.self)))
            hits.drop(offset &- place)
            return hits.areAny ? place &+ hits.first : count
        }
        var vector = Vector.zero
        withUnsafeMutableBytes(of: &vector) { vector in
            vector.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset...]))
        }
        let hits = Hits(isSought(vector))
        return hits.areAny ? min(offset &+ hits.first, count) : count
    }

    /// The lanes of a mask, eight bits each, first lane lowest.
    struct Hits {
        private var low: UInt64
        private var high: UInt64

        @inline(__always)
        init(_ mask: Mask) {
            let words = unsafeBitCast(mask, to: SIMD2<UInt64>.self)
            low = words.x.littleEndian
            high = words.y.littleEndian
        }

        @inline(__always)
        var areAny: Bool { low | high != 0 }

        /// Of those that are, the first.
        @inline(__always)
        var first: Int {
            low != 0
                ? low.trailingZeroBitCount / 8 : 8 &+ high.trailingZeroBitCount / 8
        }

        /// Forgets the first `count` lanes, fewer than sixteen.
        @inline(__always)
        mutating func drop(_ count: Int) {
            let bits = UInt64(truncatingIfNeeded: count &* 8)
            if count < 8 {
                low &= UInt64.max << bits
            } else {
                low = 0
                high &= UInt64.max << (bits &- 64)
            }
        }
    }
}
