extension UnsafeRawBufferPointer {
    /// True if these bytes are exactly `text`.
    @inline(__always)
    func holds(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return hasSameBytes(as: UnsafeRawPointer(text.utf8Start), at: 0, count: count)
    }

    /// Compares `count` bytes at `start` with as many at `other`: at most two steps up to 64 bytes,
    /// and none of them waits for the result of another. The last step overlaps the one before.
    @inline(__always)
    func hasSameBytes(as other: UnsafeRawPointer, at start: Int, count: Int) -> Bool {
        guard let base = baseAddress, start &+ count <= self.count else { return count == 0 }
        let mine = base + start
        if count >= 32 { return Self.areSameBlocks(mine, other, count) }
        if count >= 8 {
            return Self.differ(mine, other, UInt64.self, at: 0)
                | Self.differ(mine, other, UInt64.self, at: Swift.min(8, count &- 8))
                | Self.differ(mine, other, UInt64.self, at: Swift.max(0, count &- 16))
                | Self.differ(mine, other, UInt64.self, at: count &- 8) == 0
        }
        if count >= 4 {
            return Self.differ(mine, other, UInt32.self, at: 0)
                | Self.differ(mine, other, UInt32.self, at: count &- 4) == 0
        }
        var offset = 0
        while offset < count, self[start &+ offset] == other.load(
            fromByteOffset: offset, as: UInt8.self)
        { offset &+= 1 }
        return offset == count
    }

    /// 32 bytes at a time.
    @inline(__always)
    private static func areSameBlocks(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int
    ) -> Bool {
        var difference = SIMD4<UInt64>.zero
        var offset = 0
        while offset < count &- 32 {
            difference |= differ(a, b, SIMD4<UInt64>.self, at: offset)
            offset &+= 32
        }
        difference |= differ(a, b, SIMD4<UInt64>.self, at: count &- 32)
        return difference.x | difference.y | difference.z | difference.w == 0
    }

    @inline(__always)
    private static func differ<Word: FixedWidthInteger & BitwiseCopyable>(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _: Word.Type, at offset: Int
    ) -> Word {
        a.loadUnaligned(fromByteOffset: offset, as: Word.self)
            ^ b.loadUnaligned(fromByteOffset: offset, as: Word.self)
    }

    @inline(__always)
    private static func differ(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _: SIMD4<UInt64>.Type, at offset: Int
    ) -> SIMD4<UInt64> {
        a.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
            ^ b.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
    }
}
