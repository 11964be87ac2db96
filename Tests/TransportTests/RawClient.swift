import Glibc
import InferenceTypes
import Synchronization

/// A blocking socket with no opinion on protocols. Every wait ends after five seconds.
final class RawClient: Sendable {
    struct Failure: Error {}

    let descriptor: Int32

    init(adopting descriptor: Int32) {
        self.descriptor = descriptor
        var timeout = timeval(tv_sec: 5, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    }

    convenience init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw Failure() }
        if var size = receiveBuffer { setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(fd, $0, size) }
        }
        self.init(adopting: fd)
        guard status == 0 else { throw Failure() }
    }

    private let isOpen = Atomic<Bool>(true)

    deinit { close() }

    func close() {
        if isOpen.exchange(false, ordering: .relaxed) { Glibc.close(descriptor) }
    }

    /// Closes with a TCP reset.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// False if the other side takes no more.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            start += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// What has come: nothing at the connection's end, `nil` on a reset or after the time-out.
    func receive(_ limit: Int = 64 << 10) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        // A timed wait is interrupted when the whole process is stopped and goes on.
        var count = 0
        repeat {
            count = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, limit, 0) }
        } while count < 0 && errno == EINTR
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    /// Everything up to the connection's end.
    func receiveAll() -> [UInt8] {
        var all: [UInt8] = []
        while let bytes = receive(), !bytes.isEmpty { all += bytes }
        return all
    }

    func receive(until isDone: ([UInt8]) -> Bool) -> [UInt8] {
        var all: [UInt8] = []
        while !isDone(all), let bytes = receive(), !bytes.isEmpty { all += bytes }
        return all
    }

    /// Reads until `text` has come.
    func receive(through text: String) -> String {
        let wanted = Array(text.utf8)
        let bytes = receive { $0.count >= wanted.count && $0.contains(wanted) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// True once the other side has closed, cleanly or not.
    func isClosedByPeer() -> Bool {
        while let bytes = receive() {
            if bytes.isEmpty { return true }
        }
        return errno != EAGAIN
    }
}

/// One accepting socket of the test's own, for playing a model server.
final class RawListener: Sendable {
    let descriptor: Int32
    let port: UInt16

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let fd = descriptor
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(fd, address, size) == 0 && listen(fd, 16) == 0
                    ? getsockname(fd, address, &size) : -1
            }
        }
        guard status == 0 else { throw RawClient.Failure() }
        port = UInt16(bigEndian: address.sin_port)
        var timeout = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func accept() throws -> RawClient {
        let fd = Glibc.accept(descriptor, nil, nil)
        guard fd >= 0 else { throw RawClient.Failure() }
        return RawClient(adopting: fd)
    }
}

/// Looks again every millisecond until the condition holds, or the time has passed.
func eventually(within milliseconds: Int = 5_000, _ condition: () -> Bool) -> Bool {
    for _ in 0..<milliseconds {
        if condition() { return true }
        usleep(1_000)
    }
    return condition()
}
