import Glibc
import InferenceTypes
import Synchronization
import Testing
import WireProtocols

@testable import Transport

/// Sends one request and writes down what comes of it.
private final class Caller: ClientHandler {
    struct Outcome: Sendable {
        var events: [String] = []
        var body: [UInt8] = []
        var failure: ClientFailure?
        var isReused = false
        var isCloseDelimited = false
        var isOver = false
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    let outcome: SharedOutcome
    private let pausesAtHead: Bool
    var current: ClientConnection?

    init(_ outcome: SharedOutcome, pausesAtHead: Bool = false) {
        self.outcome = outcome
        self.pausesAtHead = pausesAtHead
    }

    func start(in pool: ClientPool, fresh: Bool = false) {
        do throws(ClientFailure) {
            let connection = try pool.acquire(for: self, fresh: fresh)
            if connection.isConnected { connected(connection) }
        } catch {
            outcome.change {
                $0.failure = error
                $0.isOver = true
            }
        }
    }

    override func connected(_ connection: ClientConnection) {
        outcome.change {
            $0.events.append("connected")
            $0.isReused = connection.isReused
        }
        Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8).withUnsafeBytes { connection.send($0) }
    }

    override func responded(_ connection: ClientConnection, _ head: HTTP1ResponseHead) {
        if pausesAtHead { connection.pause() }
        outcome.change { $0.events.append("head \(head.status)") }
        current = connection
    }

    override func received(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer) {
        outcome.change { $0.body += bytes }
    }

    override func ended(_ connection: ClientConnection, isCloseDelimited: Bool) {
        outcome.change {
            $0.isCloseDelimited = isCloseDelimited
            $0.isOver = true
        }
    }

    override func failed(_ connection: ClientConnection, _ failure: ClientFailure) {
        outcome.change {
            $0.failure = failure
            $0.isReused = connection.isReused
            $0.isOver = true
        }
    }
}

private final class SharedOutcome: Sendable {
    private let value = Mutex(Caller.Outcome())
    func change(_ body: (inout Caller.Outcome) -> Void) { value.withLock { body(&$0) } }
    var now: Caller.Outcome { value.withLock { $0 } }

    /// The outcome once the exchange is over.
    func final() -> Caller.Outcome {
        _ = eventually { now.isOver }
        return now
    }
}

/// A pool on a reactor, and the server socket that it calls.
private final class PoolBench {
    final class Holder { var pool: ClientPool?, callers: [Caller] = [] }

    let group: ReactorGroup
    let listener: RawListener
    var reactor: Reactor { group.reactors[0] }

    init(port: UInt16? = nil, _ change: (inout Limits) -> Void = { _ in }) throws {
        var limits = Limits()
        change(&limits)
        let chosen = limits
        listener = try RawListener()
        group = try ReactorGroup(count: 1)
        group.start()
        let port = port ?? listener.port
        reactor.post { reactor in
            let holder = Holder()
            reactor.context = holder
            guard let address = SocketAddress(host: "127.0.0.1", port: port) else { return }
            holder.pool = ClientPool(
                reactor: reactor, address: address, hostname: "a", tls: nil, limits: chosen)
        }
    }

    deinit {
        reactor.post { ($0.context as? Holder)?.pool?.closeIdle() }
        group.stop()
        group.join()
    }

    func call(fresh: Bool = false, pausesAtHead: Bool = false) -> SharedOutcome {
        let outcome = SharedOutcome()
        reactor.post { reactor in
            guard let holder = reactor.context as? Holder, let pool = holder.pool else { return }
            let caller = Caller(outcome, pausesAtHead: pausesAtHead)
            holder.callers.append(caller)
            caller.start(in: pool, fresh: fresh)
        }
        return outcome
    }

    var connections: [Int] {
        reactor.sync { reactor in
            guard let pool = (reactor.context as? Holder)?.pool else { return [] }
            return [pool.openConnections, pool.idleConnections]
        } ?? []
    }
}

extension RawClient {
    fileprivate func answer(_ text: String) {
        _ = receive(through: "\r\n\r\n")
        send(text)
    }
}

private let short = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

@Suite(.serialized) struct ClientPoolTests {
    @Test func aConnectionIsUsedAgain() throws {
        let bench = try PoolBench()
        let first = bench.call()
        let server = try bench.listener.accept()
        server.answer(short)
        #expect(first.final().text == "hi")
        #expect(first.now.events == ["connected", "head 200"])
        #expect(bench.connections == [1, 1])
        for _ in 0..<3 {
            let next = bench.call()
            server.answer(short)
            #expect(next.final().text == "hi")
            #expect(next.now.isReused)
        }
        #expect(bench.connections == [1, 1])
        let fresh = bench.call(fresh: true)
        try bench.listener.accept().answer(short)
        #expect(fresh.final().text == "hi")
        #expect(!fresh.now.isReused)
    }

    @Test(arguments: [
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        "Content-Length: 11\r\n\r\nhello world", "\r\nhello world",
    ])
    func everyFramingIsUnderstood(rest: String) throws {
        let bench = try PoolBench()
        let isCloseDelimited = rest.hasPrefix("\r\n")
        for piece in [1, 7, 1_000] {
            let call = bench.call(fresh: true)
            let server = try bench.listener.accept()
            _ = server.receive(through: "\r\n\r\n")
            var bytes = Array(("HTTP/1.1 200 OK\r\n" + rest).utf8)[...]
            while !bytes.isEmpty {
                server.send(Array(bytes.prefix(piece)))
                bytes = bytes.dropFirst(piece)
            }
            if isCloseDelimited { server.close() }
            #expect(call.final().text == "hello world")
            #expect(call.now.failure == nil)
            #expect(call.now.isCloseDelimited == isCloseDelimited)
        }
    }

    @Test func aLargeBodyArrivesIntactAroundPauses() throws {
        let bench = try PoolBench()
        let call = bench.call(pausesAtHead: true)
        let server = try bench.listener.accept()
        _ = server.receive(through: "\r\n\r\n")
        let body = Array(repeating: PathHandler.pattern, count: 400).flatMap { $0 }
        let writer = Thread.start(name: "writer") {
            server.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
            server.send(body)
        }
        #expect(eventually { call.now.events.contains("head 200") })
        usleep(50_000)
        // One read's worth may be under way when the pause comes.
        #expect(call.now.body.count <= ClientConnection.readSize)
        bench.reactor.post { reactor in
            guard let holder = reactor.context as? PoolBench.Holder else { return }
            for caller in holder.callers { caller.current?.resume() }
        }
        #expect(call.final().body == body)
        if let writer { pthread_join(writer, nil) }
    }

    // MARK: Failures

    @Test func aConnectionThatDiedIdleIsToldFromABrokenServer() throws {
        let bench = try PoolBench()
        let first = bench.call()
        let server = try bench.listener.accept()
        server.answer(short)
        #expect(first.final().text == "hi")
        // The request and the server's close cross: no byte of an answer comes.
        let second = bench.call()
        _ = server.receive(through: "\r\n\r\n")
        server.close()
        #expect(second.final().failure == .closedBeforeResponse)
        #expect(second.now.isReused)
        let third = bench.call()
        try bench.listener.accept().close()
        #expect(third.final().failure == .closedBeforeResponse)
        #expect(!third.now.isReused)
        #expect(eventually { bench.connections == [0, 0] })
    }

    @Test func anIdleConnectionThatTheServerClosesIsForgotten() throws {
        let bench = try PoolBench()
        let first = bench.call()
        let server = try bench.listener.accept()
        server.answer(short)
        #expect(first.final().text == "hi")
        server.close()
        #expect(eventually { bench.connections == [0, 0] })
    }

    @Test func unaskedBytesEndAnIdleConnection() throws {
        let bench = try PoolBench()
        let first = bench.call()
        let server = try bench.listener.accept()
        // Two answers to one request: the second must not be taken for another's.
        server.answer(short + short)
        #expect(first.final().text == "hi")
        #expect(eventually { bench.connections == [0, 0] })
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ], [true, false])
    func aCutResponseIsTruncated(text: String, withReset: Bool) throws {
        let bench = try PoolBench()
        let call = bench.call()
        let server = try bench.listener.accept()
        server.answer(text)
        usleep(20_000)
        if withReset { server.reset() } else { server.close() }
        #expect(call.final().failure == .truncated)
        #expect(eventually { bench.connections == [0, 0] })
    }

    @Test func nonsenseIsMalformed() throws {
        let bench = try PoolBench()
        let call = bench.call()
        try bench.listener.accept().answer("SSH-2.0-x\r\n\r\n")
        #expect(call.final().failure == .malformed(.malformedStartLine))
    }

    @Test func aRefusedPortIsAFailedConnect() throws {
        let unused = try RawListener().port
        let bench = try PoolBench(port: unused)
        #expect(bench.call().final().failure == .connect(ECONNREFUSED))
        #expect(bench.connections == [0, 0])
    }

    @Test func theConnectionLimitHolds() throws {
        let bench = try PoolBench { $0.upstreamConnectionsPerEndpoint = 1 }
        let first = bench.call()
        let server = try bench.listener.accept()
        #expect(bench.call().final().failure == .connect(EAGAIN))
        server.answer(short)
        #expect(first.final().text == "hi")
    }

    @Test func idleConnectionsAgeOut() throws {
        let bench = try PoolBench { $0.upstreamIdleTimeout = .milliseconds(100) }
        let call = bench.call()
        let server = try bench.listener.accept()
        server.answer(short)
        #expect(call.final().text == "hi")
        #expect(bench.connections == [1, 1])
        #expect(server.isClosedByPeer())
        #expect(eventually { bench.connections == [0, 0] })
    }

    @Test func anAnswerThatSaysCloseIsTheLast() throws {
        let bench = try PoolBench()
        let call = bench.call()
        let server = try bench.listener.accept()
        server.answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")
        #expect(call.final().text == "hi")
        #expect(bench.connections == [0, 0])
    }

    @Test func aPoolMayBeLetGoWhileItsConnectionsLive() throws {
        let bench = try PoolBench { $0.upstreamIdleTimeout = .milliseconds(100) }
        let call = bench.call()
        let server = try bench.listener.accept()
        bench.reactor.post { ($0.context as? PoolBench.Holder)?.pool = nil }
        server.answer(short)
        #expect(call.final().text == "hi")
        // Its connections age out all the same, and its timer finds nobody.
        #expect(server.isClosedByPeer())
        usleep(600_000)
        #expect(bench.connections == [])
    }
}
