import InferenceTypes
import Testing

@testable import Transport

private typealias F = HTTP2Frames

/// Floods against a running server: each ends the connection, in the end whatever the client does,
/// and leaves nothing behind.
@Suite(.serialized) struct ServerFloodTests {
    private static let ping = F.frame(F.ping, [UInt8](repeating: 0, count: 8))

    /// What a flood is made of, by the number of the turn.
    private static func flood(_ kind: String, _ index: Int) -> [UInt8] {
        let id = 2 * index + 3
        return switch kind {
        case "rapid reset": F.request(id, path: "/hold") + F.reset(id)
        case "window overflow": F.request(id, path: "/hold") + F.windowUpdate(id, 0x7FFF_FFFF)
        case "body beyond length":
            F.request(id, method: "POST", fields: [("content-length", "1")], end: false)
                + F.body(id, [1, 2])
        case "pseudo trailers":
            F.request(id, method: "POST", end: false)
                + F.frame(
                    F.headers, flags: F.endHeaders | F.endStream, stream: id,
                    F.block([(":path", "/")]))
        case "malformed": F.request(id, fields: [("Upper", "x")])
        case "refused": F.request(id, path: "/hold")
        case "ping": ping
        case "settings": F.settings()
        case "empty data": F.body(1, [])
        case "priority": F.frame(F.priority, stream: id, [0, 0, 0, 0, 1])
        case "window update": F.windowUpdate(0, 1)
        default: F.frame(0xBE, [1])
        }
    }

    static let kinds = [
        "rapid reset", "window overflow", "body beyond length", "pseudo trailers", "malformed",
        "refused", "ping", "settings", "empty data", "priority", "window update", "unknown",
    ]

    /// Sends the flood until the server takes no more; returns how many bytes it took.
    private func send(_ kind: String, to client: HTTP2Client, piece: Int = 50) -> Int {
        var sent = 0
        for start in stride(from: 0, to: 20_000, by: piece) {
            let bytes = (start..<start + piece).flatMap { Self.flood(kind, $0) }
            guard client.socket.send(bytes) else { break }
            sent += bytes.count
        }
        return sent
    }

    @Test(arguments: kinds)
    func aFloodEndsTheConnectionWithAReason(kind: String) throws {
        let server = try TestServer()
        let client = HTTP2Client(try server.client())
        client.socket.send(F.request(1, method: "POST", path: "/hold", end: false))
        // A little at a time, so that the last word is not lost in a TCP reset.
        for start in stride(from: 0, to: 420, by: 60) {
            let bytes = (start..<start + 60).flatMap { Self.flood(kind, $0) }
            guard client.socket.send(bytes) else { break }
        }
        let last = client.frames { $0.type == F.goAway }.last
        #expect(last?.type == F.goAway && last?.code == 0xb)
        #expect(eventually { server.openConnections == 0 })
        #expect(eventually { server.group.reactors[0].sync { $0.server?.openStreams } == 0 })
    }

    @Test(arguments: kinds)
    func aFloodByAClientThatDoesNotReadEndsWithinASecond(kind: String) throws {
        let server = try TestServer()
        let client = HTTP2Client(try server.client(receiveBuffer: 4_096))
        client.socket.send(F.request(1, path: "/flood"))
        #expect(eventually { server.log.count(of: "request /flood") == 1 })
        let began = MonotonicClock.now()
        _ = send(kind, to: client)
        #expect(eventually { server.openConnections == 0 })
        #expect(MonotonicClock.now() - began < .milliseconds(1_500))
        #expect(eventually { server.group.reactors[0].sync { $0.server?.openStreams } == 0 })
    }

    @Test(arguments: ["rapid reset", "window overflow", "malformed", "refused"])
    func aFloodDuringTheDrainEndsTheConnection(kind: String) throws {
        let server = try TestServer()
        let client = HTTP2Client(try server.client())
        client.socket.send(F.request(1, path: "/hold"))
        #expect(eventually { server.log.count(of: "request /hold") == 1 })
        server.group.reactors[0].post { $0.server?.drain() }
        _ = client.frames { $0.type == F.goAway }
        _ = send(kind, to: client)
        #expect(eventually { server.openConnections == 0 })
        // The second step of the drain ends it as well: HEADERS that nobody takes are counted.
        let other = HTTP2Client(try server.client())
        other.socket.send(F.request(1, path: "/hold"))
        server.group.reactors[0].post { $0.server?.sayGoodbye() }
        _ = other.frames { $0.type == F.goAway && $0.payload.first == 0 }
        _ = send(kind, to: other)
        #expect(eventually { server.openConnections == 0 })
    }

    @Test func slowRapidResetsAreStopped() throws {
        let server = try TestServer { $0.concurrentStreams = 20 }
        let client = HTTP2Client(try server.client())
        var last = 0
        for index in 0..<100 {
            let id = 2 * index + 1
            guard client.socket.send(F.request(id, path: "/hold")) else { break }
            let isTaken = eventually(within: 1_000) {
                server.log.count(of: "request /hold") == index + 1
            }
            guard isTaken else { break }
            guard client.socket.send(F.reset(id)) else { break }
            guard eventually({ server.log.count(of: "gone") >= index + 1 }) else { break }
            last = index + 1
        }
        // As many as may be open at once, and the one that goes beyond.
        #expect(last == 21)
        #expect(client.frames { $0.type == F.goAway }.last?.code == 0xb)
    }

    // MARK: Deadlines

    @Test func aHeaderBlockThatComesByteByByteIsNotAwaited() throws {
        let server = try TestServer { $0.headerTimeout = .milliseconds(400) }
        let block = F.block([(":method", "GET"), (":scheme", "http"), (":path", "/x")])
        let shapes = [
            F.request(1),
            // Whole frames, but no end of the block.
            F.frame(F.headers, stream: 1, block) + F.frame(F.continuation, stream: 1, [])
                + F.frame(F.continuation, stream: 1, []),
            F.windowUpdate(0, 1),
        ]
        for shape in shapes {
            let client = HTTP2Client(try server.client())
            #expect(eventually { server.openConnections == 1 })
            var rest = shape.dropLast()
            let began = MonotonicClock.now()
            while server.openConnections > 0, MonotonicClock.now() - began < .seconds(4) {
                if let byte = rest.popFirst() { client.socket.send([byte]) }
                _ = eventually(within: 20) { server.openConnections == 0 }
            }
            #expect(server.openConnections == 0)
            #expect(MonotonicClock.now() - began < .milliseconds(1_700))
        }
    }

    @Test func anHTTP2ConnectionWithoutARequestIsClosed() throws {
        let server = try TestServer { $0.firstRequestTimeout = .milliseconds(300) }
        let silent = HTTP2Client(try server.client())
        let asking = HTTP2Client(try server.client())
        asking.socket.send(F.request(1, path: "/x"))
        #expect(asking.response(1).status == 200)
        #expect(silent.socket.isClosedByPeer())
        asking.socket.send(F.request(3, path: "/y"))
        #expect(asking.response(3).status == 200)
    }

    @Test(arguments: [1, 2])
    func aBodyThatDripsIsRefusedInTheEnd(version: Int) throws {
        let server = try TestServer {
            $0.bodyTimeout = .milliseconds(900)
            $0.bodyTotalTimeout = .milliseconds(1_200)
        }
        let socket = try server.client()
        let client = version == 2 ? HTTP2Client(socket) : nil
        if version == 2 {
            socket.send(F.request(1, method: "POST", end: false))
        } else {
            socket.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        }
        let began = MonotonicClock.now()
        while server.log.count(of: "refused 408") == 0, MonotonicClock.now() - began < .seconds(4) {
            socket.send(version == 2 ? F.body(1, [1]) : [1])
            _ = eventually(within: 100) { false }
        }
        #expect(MonotonicClock.now() - began > .milliseconds(1_100))
        if let client {
            #expect(client.response(1).status == 408)
        } else {
            #expect(socket.responses(1).first?.status == 408)
        }
    }

    @Test func aWindowOfOneByteNowAndThenIsAStall() throws {
        let server = try TestServer { $0.stallTimeout = .milliseconds(900) }
        let client = HTTP2Client(try server.client(), start: F.preface + F.settings([(4, 10)]))
        client.socket.send(F.request(1, path: "/flood"))
        let began = MonotonicClock.now()
        while server.log.count(of: "gone") == 0, MonotonicClock.now() - began < .seconds(4) {
            client.socket.send(F.windowUpdate(1, 1))
            _ = eventually(within: 100) { false }
        }
        #expect(server.log.count(of: "gone") == 1)
        let reset = client.frames { $0.type == F.rstStream }.last
        #expect(reset?.code == 8)
    }

    @Test func aSlowButSteadyReaderIsNone() throws {
        let server = try TestServer {
            $0.stallTimeout = .milliseconds(900)
            $0.stallBytes = 100
        }
        let client = HTTP2Client(try server.client(), start: F.preface + F.settings([(4, 10)]))
        client.socket.send(F.request(1, path: "/flood"))
        for _ in 0..<25 {
            client.socket.send(F.windowUpdate(1, 50))
            _ = eventually(within: 100) { false }
        }
        #expect(server.log.count(of: "gone") == 0)
    }

    // MARK: Memory

    @Test(arguments: [1, 2])
    func bodiesBeyondTheBudgetAreRefusedUntilThereIsRoom(version: Int) throws {
        let server = try TestServer { $0.bodyBudgetBytes = 100_000 }
        let head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: "
        let pieces = [[UInt8]](repeating: [UInt8](repeating: 1, count: 15_000), count: 4)
        func post(end: Bool) throws -> (RawClient, HTTP2Client?) {
            let socket = try server.client()
            let client = version == 2 ? HTTP2Client(socket) : nil
            socket.send(
                version == 2
                    ? F.request(1, method: "POST", path: "/x", end: false)
                    : Array((head + "\(end ? 60_000 : 60_001)\r\n\r\n").utf8))
            for piece in pieces {
                socket.send(version == 2 ? F.body(1, piece) : piece)
                // Each one is to be read by itself: a whole read is taken or refused.
                _ = eventually(within: 20) { false }
            }
            if end, version == 2 { socket.send(F.body(1, [], end: true)) }
            return (socket, client)
        }
        func status(_ peer: (RawClient, HTTP2Client?)) -> Int? {
            peer.1.map { $0.response(1).status } ?? peer.0.responses(1).first?.status
        }
        let first = try post(end: false)
        let second = try post(end: false)
        #expect(eventually { server.log.count(of: "refused 503") == 1 })
        // Whichever came last: the other one still has its place.
        let third = try post(end: true)
        #expect(status(third) == 503)
        for peer in [first, second] { peer.0.close() }
        #expect(eventually { server.openConnections == 1 })
        #expect(status(try post(end: true)) == 200)
        #expect(server.group.reactors[0].sync { $0.server?.bodies.held } == 0)
    }

    @Test func waitingAnswersBeyondTheBudgetMakeEveryStreamWaitForItsClient() throws {
        let server = try TestServer { $0.responseBudgetBytes = 1 << 20 }
        let client = HTTP2Client(try server.client())
        client.socket.send(F.request(1, path: "/flood"))
        let overload: @Sendable (Reactor) -> Bool = { $0.server?.isOverloaded ?? false }
        let reactor = server.group.reactors[0]
        #expect(eventually { reactor.sync(overload) == true })
        let water = reactor.sync { [$0.server?.highWater, $0.server?.lowWater] }
        #expect(water == [0, 0])
        // A reader that keeps up loses nothing.
        let reader = HTTP2Client(try server.client())
        reader.socket.send(F.request(1, path: "/bytes/1000000"))
        let body = reader.response(1).body
        #expect(body.count == 1_000_000 && PathHandler.isPattern(body))
        client.socket.send(F.reset(1))
        #expect(eventually { reactor.sync(overload) == false })
        #expect(reactor.sync { $0.server?.lowWater } == 16 << 10)
    }
}
