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

    /// True if what comes begins a block, whatever came before.
    var isAtFreshBlock: Bool { isAtBlockStart && !isAfterReturn }

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

/// Where lines end.
enum SSELine {
    @inline(__always)
    static func isEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    /// The first LF or CR at or after `start`, else the count.
    static func end(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        ByteSearch.first(in: bytes, from: start) { bytes in
            ByteSearch.equal(bytes, UInt8(ascii: "\n"))
                .| ByteSearch.equal(bytes, UInt8(ascii: "\r"))
        }
    }
}
