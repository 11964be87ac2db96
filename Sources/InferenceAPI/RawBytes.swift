extension UnsafeRawBufferPointer {
    /// True if these bytes are exactly `text`.
    @inline(__always)
    func holds(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return isSame(as: UnsafeRawBufferPointer(start: text.utf8Start, count: count))
    }

    /// True if the first of these bytes are exactly `opening`.
    func begins(with opening: [UInt8]) -> Bool {
        guard count >= opening.count else { return false }
        return opening.withUnsafeBytes { opening in
            UnsafeRawBufferPointer(rebasing: self[..<opening.count]).isSame(as: opening)
        }
    }

    /// Compares with as many bytes, eight at a time, the last eight overlapping.
    @inline(__always)
    private func isSame(as other: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        guard count >= 8 else {
            while offset < count, self[offset] == other[offset] { offset &+= 1 }
            return offset == count
        }
        while offset < count {
            let place = Swift.min(offset, count &- 8)
            let mine = loadUnaligned(fromByteOffset: place, as: UInt64.self)
            let theirs = other.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            if mine != theirs { return false }
            offset &+= 8
        }
        return true
    }
}
