import CLinux
import Glibc
import InferenceTypes
import WireProtocols

/// A numeric socket address, IPv4 or IPv6.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// Host in its numeric form, without brackets.
    public let host: String
    public let port: UInt16
    let isIPv6: Bool

    /// `nil` if `host` is not a numeric address; names go through ``resolve(host:port:)``.
    public init?(host: String, port: UInt16) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, host, &v4) == 1 {
            isIPv6 = false
        } else if inet_pton(AF_INET6, host, &v6) == 1 {
            isIPv6 = true
        } else {
            return nil
        }
        self.host = host
        self.port = port
    }

    /// Asks the system's resolver. Blocks: for the control thread only.
    public static func resolve(host: String, port: UInt16) -> [SocketAddress] {
        if let address = SocketAddress(host: host, port: port) { return [address] }
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next {
            var name = [CChar](repeating: 0, count: 64)
            let status = getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &name, socklen_t(name.count), nil,
                0, NI_NUMERICHOST)
            let text = name.withUnsafeBytes {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if status == 0, let address = SocketAddress(host: text, port: port) {
                if !found.contains(address) { found.append(address) }
            }
            next = entry.pointee.ai_next
        }
        return found
    }

    public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            inet_pton(AF_INET6, host, &address.sin6_addr)
            return withUnsafeBytes(of: &address) { raw in
                body(
                    raw.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                    socklen_t(raw.count))
            }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return withUnsafeBytes(of: &address) { raw in
            body(raw.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
        }
    }
}

/// A system call that failed.
public struct SystemError: Error, CustomStringConvertible, Sendable {
    public let call: String
    public let code: Int32

    init(_ call: String, _ code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    public var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// The system calls that this room makes on sockets, with their flags set once and for all.
enum Socket {
    enum Transfer {
        case bytes(Int)
        case wouldBlock
        case closed
        case failed(Int32)
    }

    static func listen(on address: SocketAddress, backlog: Int32 = 4096) throws -> Int32 {
        let fd = socket(
            address.isIPv6 ? AF_INET6 : AF_INET,
            Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw SystemError("socket") }
        set(fd, SOL_SOCKET, SO_REUSEADDR)
        let bound = address.withSockaddr { bind(fd, $0, $1) }
        guard bound == 0, Glibc.listen(fd, backlog) == 0 else {
            let error = SystemError("listen on \(address)")
            close(fd)
            throw error
        }
        return fd
    }

    /// The port that the system chose for a listener bound to port 0.
    static func port(of fd: Int32) -> UInt16 {
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let status = withUnsafeMutableBytes(of: &storage) { raw in
            getsockname(fd, raw.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
        }
        // The port lies at the same offset in both address families.
        return status == 0 ? UInt16(bigEndian: storage.sin6_port) : 0
    }

    /// Starts to connect; the socket becomes writable when it is done.
    static func connect(to address: SocketAddress) throws -> Int32 {
        let fd = socket(
            address.isIPv6 ? AF_INET6 : AF_INET,
            Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw SystemError("socket") }
        disableNagle(fd)
        // The kernel would let a fast model server fill tens of megabytes behind the back of a
        // paused stream; this much covers any path inside a data centre.
        set(fd, SOL_SOCKET, SO_RCVBUF, to: upstreamReceiveBuffer)
        let status = address.withSockaddr { Glibc.connect(fd, $0, $1) }
        guard status == 0 || errno == EINPROGRESS else {
            let error = SystemError("connect")
            close(fd)
            throw error
        }
        return fd
    }

    /// The outcome of a connect that was in progress: 0 or an errno.
    static func pendingError(_ fd: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }

    /// Has the next `close` send a reset instead of an orderly end.
    static func resetOnClose(_ fd: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    static func discard(_ fd: Int32) { close(fd) }

    static func disableNagle(_ fd: Int32) { set(fd, Int32(IPPROTO_TCP), TCP_NODELAY) }

    /// Kernel receive buffer of an upstream connection, bytes (Linux doubles it for its own needs).
    private static let upstreamReceiveBuffer: Int32 = 128 << 10

    private static func set(_ fd: Int32, _ level: Int32, _ option: Int32, to value: Int32 = 1) {
        var value = value
        setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    static func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        while true {
            let count = recv(fd, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .closed }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .failed(errno)
        }
    }

    static func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Transfer {
        while true {
            let count = send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .failed(errno)
        }
    }

    /// Writes two pieces in one call.
    static func write(
        _ fd: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) -> Transfer {
        guard !second.isEmpty else { return write(fd, first) }
        var pieces = (
            iovec(
                iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress),
                iov_len: first.count),
            iovec(
                iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress),
                iov_len: second.count)
        )
        return withUnsafeMutableBytes(of: &pieces) { pieces in
            var message = msghdr()
            message.msg_iov = pieces.baseAddress?.assumingMemoryBound(to: iovec.self)
            message.msg_iovlen = 2
            while true {
                let count = sendmsg(fd, &message, Int32(MSG_NOSIGNAL))
                if count >= 0 { return .bytes(count) }
                if errno == EINTR { continue }
                return errno == EAGAIN ? .wouldBlock : .failed(errno)
            }
        }
    }

    /// Writes a queue's beginning in one call; also tells how much it offered to the kernel.
    static func write(_ fd: Int32, _ queue: borrowing BlockQueue) -> (Transfer, offered: Int) {
        let front = queue.front
        guard queue.count > front.count else { return (write(fd, front), front.count) }
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: mostPieces) { pieces in
            var filled = 0
            var offered = 0
            queue.forEachPiece(limit: mostPieces) { piece in
                pieces[filled] = iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: piece.baseAddress),
                    iov_len: piece.count)
                filled += 1
                offered += piece.count
            }
            var message = msghdr()
            message.msg_iov = pieces.baseAddress
            message.msg_iovlen = filled
            while true {
                let count = sendmsg(fd, &message, Int32(MSG_NOSIGNAL))
                if count >= 0 { return (.bytes(count), offered) }
                if errno == EINTR { continue }
                return (errno == EAGAIN ? .wouldBlock : .failed(errno), offered)
            }
        }
    }

    /// Pieces of a queue per write: 128 KiB.
    private static let mostPieces = 32
}
