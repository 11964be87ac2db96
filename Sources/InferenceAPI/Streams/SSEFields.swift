/// The fields of one block that matter here, as ranges of its bytes.
struct SSEFields {
    /// The value of the first `data` line.
    var data: Range<Int>?
    var dataLines = 0
    var event: Range<Int>?

    init(of bytes: UnsafeRawBufferPointer) {
        Self.forEachLine(of: bytes) { line in
            if let value = Self.value(of: "data", in: line, of: bytes) {
                if dataLines == 0 { data = value }
                dataLines += 1
            } else if let value = Self.value(of: "event", in: line, of: bytes) {
                event = value
            }
        }
    }

    /// The values of all `data` lines, joined by line feeds as a client joins them.
    static func joinedData(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var joined: [UInt8] = []
        var isFirst = true
        forEachLine(of: bytes) { line in
            guard let value = value(of: "data", in: line, of: bytes) else { return }
            if !isFirst { joined.append(UInt8(ascii: "\n")) }
            isFirst = false
            joined.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[value]))
        }
        return joined
    }

    @inline(__always)
    private static func forEachLine(
        of bytes: UnsafeRawBufferPointer, _ body: (Range<Int>) -> Void
    ) {
        var offset = 0
        while offset < bytes.count {
            let end = SSELine.end(in: bytes, from: offset)
            // A CRLF makes one empty line more here, which no field is on.
            if end > offset { body(offset..<end) }
            offset = end + 1
        }
    }

    /// The value if the line is of the field `name`: all after the colon, less one space.
    private static func value(
        of name: StaticString, in line: Range<Int>, of bytes: UnsafeRawBufferPointer
    ) -> Range<Int>? {
        let length = name.utf8CodeUnitCount
        guard line.count >= length else { return nil }
        for index in 0..<length where bytes[line.lowerBound + index] != name.utf8Start[index] {
            return nil
        }
        var start = line.lowerBound + length
        if start == line.upperBound { return start..<start }
        guard bytes[start] == UInt8(ascii: ":") else { return nil }
        start += 1
        if start < line.upperBound, bytes[start] == UInt8(ascii: " ") { start += 1 }
        return start..<line.upperBound
    }
}
