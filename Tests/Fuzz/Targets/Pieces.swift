/// Where a run of bytes is cut, as one byte of the input says: the fuzzer steers it.
struct PieceLengths {
    private let mode: UInt8
    private let parameter: Int
    private var state: UInt64

    init(_ choice: UInt8) {
        mode = choice & 3
        parameter = Int(choice >> 2)
        state = UInt64(choice) &+ 0x9E37_79B9_7F4A_7C15
    }

    /// 1 to `rest`, which is above 0.
    mutating func next(of rest: Int) -> Int {
        switch mode {
        case 0:
            // One cut.
            defer { state = 0 }
            return state == 0 ? rest : min(rest, parameter + 1)
        case 1: return min(rest, parameter & 7 < 5 ? 1 : parameter & 7)
        case 2: return min(rest, random(below: 8) + 1)
        default: return min(rest, random(below: 96) + 1)
        }
    }

    private mutating func random(below bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(truncatingIfNeeded: (state >> 33) % UInt64(bound))
    }
}

/// Calls `body` with the pieces in turn, each copied to the end of a block of memory, where the
/// address sanitizer sees a read beyond it.
func forEachPiece(
    of bytes: UnsafeRawBufferPointer, cut choice: UInt8,
    _ body: (UnsafeRawBufferPointer) throws -> Void
) rethrows {
    guard !bytes.isEmpty else { return }
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { room.deallocate() }
    var lengths = PieceLengths(choice)
    var start = 0
    while start < bytes.count {
        let count = lengths.next(of: bytes.count - start)
        let place = UnsafeMutableRawBufferPointer(rebasing: room[(room.count - count)...])
        place.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
        try body(UnsafeRawBufferPointer(place))
        start += count
    }
}

extension UnsafeRawBufferPointer {
    /// The first `count` bytes, which decide how the rest is used, and the rest.
    func cut(_ count: Int) -> (head: UnsafeRawBufferPointer, rest: UnsafeRawBufferPointer)? {
        guard self.count >= count else { return nil }
        return (
            UnsafeRawBufferPointer(rebasing: self[..<count]),
            UnsafeRawBufferPointer(rebasing: self[count...])
        )
    }
}
