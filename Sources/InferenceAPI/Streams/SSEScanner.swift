/// Finds where the blocks of a server-sent event stream end: after a blank line, whatever ends its
/// lines (LF, CRLF or CR) and wherever the input is split. It keeps no bytes; a block is an event,
/// a run of comment lines, or a blank line that stands alone.
public struct SSEScanner: Sendable {
    private var lineIsEmpty = true
    private var isAtBlockStart = true
    /// The byte before was a CR that ended a line: a LF now belongs to that line end.
    private var isAfterReturn = false
    private var lastLineEndedInCRLF = false

    /// The block is whole, but its last line end is half a CRLF as yet: the lines before ended in
    /// CRLF, so that the LF is worth waiting for. Nobody waits for it in a CR stream.
    public private(set) var isAwaitingLineFeed = false

    public init() {}

    /// One past the end of the block that the bytes from `start` on continue, or `nil` if they end
    /// before it does. The result can be `start` itself.
    public mutating func endOfBlock(
        in bytes: UnsafeRawBufferPointer, from start: Int
    ) -> Int? {
        var offset = start
        while offset < bytes.count {
            if isAfterReturn {
                isAfterReturn = false
                let isLineFeed = bytes[offset] == UInt8(ascii: "\n")
                if isLineFeed { offset += 1 }
                if isAwaitingLineFeed || (isAtBlockStart && isLineFeed) {
                    beginBlock()
                    return offset
                }
                lastLineEndedInCRLF = isLineFeed
                if isLineFeed { continue }
            }
            isAtBlockStart = false
            if !lineIsEmpty || !SSELine.isEnd(bytes[offset]) {
                lineIsEmpty = false
                offset = SSELine.end(in: bytes, from: offset)
                guard offset < bytes.count else { return nil }
                isAfterReturn = bytes[offset] == UInt8(ascii: "\r")
                if !isAfterReturn { lastLineEndedInCRLF = false }
                lineIsEmpty = true
                offset += 1
            } else if bytes[offset] == UInt8(ascii: "\n") {
                beginBlock()
                return offset + 1
            } else {
                isAfterReturn = true
                offset += 1
                if !lastLineEndedInCRLF {
                    beginBlock()
                    return offset
                }
                isAwaitingLineFeed = true
            }
        }
        return nil
    }

    private mutating func beginBlock() {
        lineIsEmpty = true
        isAtBlockStart = true
        isAwaitingLineFeed = false
        lastLineEndedInCRLF = false
    }
}

/// Where lines end, eight bytes at a time.
enum SSELine {
    @inline(__always)
    static func isEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    /// The first LF or CR at or after `start`, else the count.
    static func end(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var offset = start
        while offset + 8 <= bytes.count {
            let word = UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let hits =
                zeroBytes(word ^ 0x0A0A_0A0A_0A0A_0A0A) | zeroBytes(word ^ 0x0D0D_0D0D_0D0D_0D0D)
            // A borrow can only raise bits above the first true hit, so the lowest one is right.
            if hits != 0 { return offset + hits.trailingZeroBitCount / 8 }
            offset += 8
        }
        while offset < bytes.count, !isEnd(bytes[offset]) { offset += 1 }
        return offset
    }

    @inline(__always)
    private static func zeroBytes(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }
}
