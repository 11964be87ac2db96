/// A chunked body (RFC 9112 7.1) read as plainly as the standard has it, once the whole is there.
enum HTTP1ChunkReference {
    /// The payload, or `nil` if `bytes` are not one chunked body exactly.
    static func decoded(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        var rest = Array(bytes)[...]
        var body: [UInt8] = []
        while let line = takeLine(&rest) {
            let digits = line.prefix { hex($0) != nil }
            guard !digits.isEmpty, digits.count <= 15 else { return nil }
            let size = digits.reduce(0) { $0 * 16 + (hex($1) ?? 0) }
            if size == 0 {
                while let line = takeLine(&rest) {
                    if line.isEmpty { return rest.isEmpty ? body : nil }
                }
                return nil
            }
            guard rest.count >= size + 2 else { return nil }
            body += rest.prefix(size)
            rest = rest.dropFirst(size)
            guard takeLine(&rest)?.isEmpty == true else { return nil }
        }
        return nil
    }

    private static func takeLine(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let lineFeed = rest.firstIndex(of: 0x0A), lineFeed > rest.startIndex,
            rest[lineFeed - 1] == 0x0D
        else { return nil }
        defer { rest = rest[(lineFeed + 1)...] }
        return rest[..<(lineFeed - 1)]
    }

    private static func hex(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte) - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte) - 55
        default: nil
        }
    }
}
