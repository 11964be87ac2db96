import Glibc

/// A blocking HTTP/1.1 client, one connection per object.
final class SocketClient {
    let descriptor: Int32

    init?(port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout,
            socklen_t(MemoryLayout<timeval>.size))
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            Glibc.close(descriptor)
            return nil
        }
    }

    deinit { Glibc.close(descriptor) }

    func send(_ method: String, _ path: String, _ body: String = "", close: Bool = true) {
        let text = """
            \(method) \(path) HTTP/1.1\r\nhost: x\r\ncontent-length: \(body.utf8.count)\r\n\
            \(close ? "connection: close\r\n" : "")\r\n\(body)
            """
        _ = Array(text.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }

    /// Reads until `mark` has come, or to the end of the connection.
    func read(until mark: String? = nil) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            // A timed wait is interrupted when the whole process is stopped and goes on.
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes.append(contentsOf: buffer[..<count])
            if let mark, String(decoding: bytes, as: UTF8.self).contains(mark) { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// One request on a connection of its own.
    static func get(_ port: UInt16, _ path: String) -> String {
        guard let client = SocketClient(port: port) else { return "" }
        client.send("GET", path)
        return client.read()
    }

    static func post(_ port: UInt16, _ path: String, _ body: String) -> String {
        guard let client = SocketClient(port: port) else { return "" }
        client.send("POST", path, body)
        return client.read()
    }
}
