import Glibc

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

/// A blocking HTTP/1.1 client, one connection per object. It waits ten seconds at most.
final class RawClient {
    struct NoConnection: Error {}

    private var descriptor: Int32
    private var received: [UInt8] = []
    private(set) var isClosed = false

    /// `receiveBuffer`: bytes that the kernel may hold for a client that does not read.
    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
        if var count = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &count, 4)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status != 0 {
            close()
            throw NoConnection()
        }
    }

    deinit { close() }

    // MARK: Sending

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func request(
        _ method: String, _ path: String, _ body: String = "", fields: [String: String] = [:],
        closes: Bool = false
    ) {
        var text = "\(method) \(path) HTTP/1.1\r\nhost: test\r\n"
        for (name, value) in fields { text += "\(name): \(value)\r\n" }
        if closes { text += "connection: close\r\n" }
        if method != "GET" { text += "content-length: \(body.utf8.count)\r\n" }
        send(text + "\r\n" + body)
    }

    // MARK: Receiving

    /// The next response, whole if it becomes so, or as far as it has come once its body holds
    /// `mark`; what came is kept in that case.
    func response(until mark: String? = nil) -> RawResponse {
        var wanted = 0
        while true {
            // Nothing new to be read out of a long answer before all of it is here.
            if received.count < wanted, mark == nil, !isClosed {
                fill()
                continue
            }
            let response = RawResponse(received, isClosed: isClosed)
            wanted = response.length
            if response.isWhole {
                received.removeFirst(min(response.length, received.count))
                return response
            }
            if isClosed { return response }
            if let mark, response.text.contains(mark) { return response }
            fill()
        }
    }

    /// As `response`, for a long chunked one: looked into once all of it is here.
    func longResponse() -> RawResponse {
        let end = Array("\r\n0\r\n\r\n".utf8)
        while !isClosed, !received.suffix(end.count).elementsEqual(end) { fill() }
        return response()
    }

    /// Everything up to the end of the connection.
    func rest() -> [UInt8] {
        while !isClosed { fill() }
        return received
    }

    private func fill() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { received.append(contentsOf: buffer[..<count]) } else { isClosed = true }
    }

    // MARK: Leaving

    /// FIN.
    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
        isClosed = true
    }

    /// RST.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    // MARK: One request on a connection of its own

    static func get(
        _ port: UInt16, _ path: String, fields: [String: String] = [:]
    ) -> RawResponse {
        guard let client = try? RawClient(port: port) else { return RawResponse() }
        client.request("GET", path, fields: fields, closes: true)
        return client.response()
    }

    static func post(
        _ port: UInt16, _ path: String, _ body: String, fields: [String: String] = [:]
    ) -> RawResponse {
        guard let client = try? RawClient(port: port) else { return RawResponse() }
        client.request("POST", path, body, fields: fields, closes: true)
        return client.response()
    }
}
