extension UnsafeMutableRawPointer {
    /// Copies `source` here. Names and values of fields are short: up to 32 bytes go as two or four
    /// words of which the last overlap, which is cheaper than finding out how to copy.
    @inline(__always)
    func copyShort(_ source: UnsafeRawBufferPointer) {
        guard let from = source.baseAddress else { return }
        let count = source.count
        switch count {
        case 8...32:
            let first = from.loadUnaligned(as: UInt64.self)
            let last = from.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            if count > 16 {
                let second = from.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                let third = from.loadUnaligned(fromByteOffset: count &- 16, as: UInt64.self)
                storeBytes(of: second, toByteOffset: 8, as: UInt64.self)
                storeBytes(of: third, toByteOffset: count &- 16, as: UInt64.self)
            }
            storeBytes(of: first, as: UInt64.self)
            storeBytes(of: last, toByteOffset: count &- 8, as: UInt64.self)
        case 4..<8:
            let first = from.loadUnaligned(as: UInt32.self)
            let last = from.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
            storeBytes(of: first, as: UInt32.self)
            storeBytes(of: last, toByteOffset: count &- 4, as: UInt32.self)
        case 1..<4:
            for offset in 0..<count {
                storeBytes(
                    of: from.load(fromByteOffset: offset, as: UInt8.self), toByteOffset: offset,
                    as: UInt8.self)
            }
        default: copyMemory(from: from, byteCount: count)
        }
    }
}
