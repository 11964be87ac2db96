/// A response as it lies on the wire of HTTP/1.1.
struct RawResponse: Sendable {
    var status = 0
    /// Names in lower case.
    var fields: [String: String] = [:]
    /// Without transfer framing.
    var body: [UInt8] = []
    /// The framing says that nothing is missing.
    var isWhole = false
    /// Bytes that it took on the wire, if it is whole.
    var length = 0

    var text: String { String(decoding: body, as: UTF8.self) }

    init() {}

    /// Reads as far as the bytes go.
    init(_ bytes: [UInt8], isClosed: Bool) {
        guard let headEnd = Self.find([13, 10, 13, 10], in: bytes, from: 0) else { return }
        let lines = String(decoding: bytes[..<headEnd], as: UTF8.self)
            .split(separator: "\r\n", omittingEmptySubsequences: false)
        status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields[line[..<colon].lowercased()] = String(value)
        }
        let start = headEnd + 4
        if status == 100 {
            self = RawResponse(Array(bytes[start...]), isClosed: isClosed)
            length += start
        } else if fields["transfer-encoding"] == "chunked" {
            readChunks(bytes, from: start)
        } else if let count = fields["content-length"].flatMap({ Int($0) }) {
            body = Array(bytes[start...].prefix(count))
            isWhole = body.count == count
            length = start + count
        } else {
            body = Array(bytes[start...])
            isWhole = isClosed
            length = bytes.count
        }
    }

    private mutating func readChunks(_ bytes: [UInt8], from start: Int) {
        var offset = start
        while let end = Self.find([13, 10], in: bytes, from: offset),
            let count = Int(String(decoding: bytes[offset..<end], as: UTF8.self), radix: 16)
        {
            offset = end + 2
            if count == 0 {
                isWhole = bytes.count >= offset + 2
                length = offset + 2
                return
            }
            body.append(contentsOf: bytes[offset...].prefix(count))
            guard bytes.count >= offset + count + 2 else { return }
            offset += count + 2
        }
    }

    private static func find(_ mark: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        var index = start
        while index + mark.count <= bytes.count {
            if bytes[index] == mark[0], bytes[index...].starts(with: mark) { return index }
            index += 1
        }
        return nil
    }
}
