import InferenceTypes

/// Our own name of a request: `jg-`, eight digits for this run of the process, sixteen for the
/// request.
enum RequestName {
    static let count = 28

    /// Calls `body` with the name.
    @inline(__always)
    static func with<R>(
        id: RequestID, instance: UInt32, _ body: (UnsafeRawBufferPointer) -> R
    ) -> R {
        withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { room in
            write(to: room, id: id, instance: instance)
            return body(UnsafeRawBufferPointer(room))
        }
    }

    static func append(to text: inout [UInt8], id: RequestID, instance: UInt32) {
        with(id: id, instance: instance) { text.append(contentsOf: $0) }
    }

    /// To the beginning of `room`, which holds ``count`` bytes at least.
    @inline(__always)
    static func write(
        to room: UnsafeMutableRawBufferPointer, id: RequestID, instance: UInt32
    ) {
        room[0] = UInt8(ascii: "j")
        room[1] = UInt8(ascii: "g")
        room[2] = UInt8(ascii: "-")
        room.storeBytes(of: digits(instance), toByteOffset: 3, as: UInt64.self)
        room[11] = UInt8(ascii: "-")
        room.storeBytes(
            of: digits(UInt32(truncatingIfNeeded: id.rawValue >> 32)), toByteOffset: 12,
            as: UInt64.self)
        room.storeBytes(
            of: digits(UInt32(truncatingIfNeeded: id.rawValue)), toByteOffset: 20,
            as: UInt64.self)
    }

    /// Eight hexadecimal digits as they lie in memory.
    @inline(__always)
    private static func digits(_ number: UInt32) -> UInt64 {
        // Each half's halves move apart until there is one digit in each byte, the last one lowest.
        var word = UInt64(number)
        word = (word | word << 16) & 0x0000_FFFF_0000_FFFF
        word = (word | word << 8) & 0x00FF_00FF_00FF_00FF
        word = (word | word << 4) & 0x0F0F_0F0F_0F0F_0F0F
        // 1 in the bytes of those above nine: between `9` and `a` lie 39 other characters.
        let letters = ((word &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
        return (word &+ 0x3030_3030_3030_3030 &+ letters &* 39).bigEndian
    }
}
