import Glibc
import Synchronization

/// A model server that answers every POST with bytes laid down beforehand, however wrong they
/// are, and every GET with an empty 200. It remembers the requests that it got.
final class ScriptedServer: Sendable {
    enum Ending: Sendable {
        /// FIN.
        case close
        /// RST.
        case reset
        /// Waits for the gateway to close, or for its next request.
        case keep
    }

    struct Script: Sendable {
        var pieces: [[UInt8]]
        var ending = Ending.close
        /// Makes the pieces out of the request, in their stead.
        var answer: (@Sendable (String) -> [String])?
    }

    private struct State {
        var script: Script
        var requests: [String] = []
        var isStopped = false
        var threads: [Background<Void>] = []
    }

    let port: UInt16
    private let listener: Int32
    private let state: Mutex<State>

    init(_ script: Script) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, size) + listen(listener, 64)
                    + getsockname(listener, generic, &size)
            }
        }
        guard status == 0 else { throw RawWire.NoConnection() }
        port = UInt16(bigEndian: address.sin_port)
        state = Mutex(State(script: script))
        onThread { self.accept() }
    }

    private func onThread(_ work: @escaping @Sendable () -> Void) {
        state.withLock { $0.threads.append(Background(work)) }
    }

    /// What the next requests get.
    func play(_ pieces: [String], _ ending: Ending = .close) {
        state.withLock {
            $0.script = Script(pieces: pieces.map { Array($0.utf8) }, ending: ending)
        }
    }

    /// Each of the next requests gets what `answer` makes of it; without pieces no answer comes.
    func play(_ answer: @escaping @Sendable (String) -> [String]) {
        state.withLock { $0.script = Script(pieces: [], ending: .keep, answer: answer) }
    }

    func play(bytes: [[UInt8]], _ ending: Ending = .close) {
        state.withLock { $0.script = Script(pieces: bytes, ending: ending) }
    }

    /// POST requests so far, heads and bodies.
    var requests: [String] { state.withLock { $0.requests } }

    /// Waits for its connections to end, so that the gateway goes first.
    func stop() {
        state.withLock { $0.isStopped = true }
        shutdown(listener, Int32(SHUT_RDWR))
        while let thread = state.withLock({ $0.threads.popLast() }) { _ = thread.value() }
        close(listener)
    }

    private func accept() {
        while !state.withLock({ $0.isStopped }) {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { return }
            onThread { self.serve(connection) }
        }
    }

    private func serve(_ connection: Int32) {
        var on: Int32 = 1
        setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(
            connection, SOL_SOCKET, SO_RCVTIMEO, &timeout,
            socklen_t(MemoryLayout<timeval>.size))
        defer { close(connection) }
        while let request = readRequest(connection) {
            if request.hasPrefix("GET") {
                send(connection, Array("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".utf8))
                continue
            }
            let script = state.withLock { state in
                state.requests.append(request)
                return state.script
            }
            let pieces = script.answer?(request).map { Array($0.utf8) } ?? script.pieces
            for (index, piece) in pieces.enumerated() {
                if index > 0 { usleep(1_000) }
                send(connection, piece)
            }
            switch script.ending {
            case .close: return
            case .reset:
                var option = linger(l_onoff: 1, l_linger: 0)
                // So that what was sent is read before the reset overtakes it.
                usleep(20_000)
                setsockopt(
                    connection, SOL_SOCKET, SO_LINGER, &option,
                    socklen_t(MemoryLayout<linger>.size))
                return
            case .keep: continue
            }
        }
    }

    private func send(_ connection: Int32, _ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    private func readRequest(_ connection: Int32) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let head = text.firstRange(of: "\r\n\r\n") {
                let length = text[..<head.lowerBound].split(separator: "\r\n")
                    .first { $0.hasPrefix("content-length: ") }?.dropFirst(16)
                let body = text[head.upperBound...].utf8.count
                if body >= length.flatMap({ Int($0) }) ?? 0 { return text }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            // A timed wait is interrupted when the whole process is stopped and goes on.
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}
