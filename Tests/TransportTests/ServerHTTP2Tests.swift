import InferenceTypes
import Testing

@testable import Transport

private typealias F = HTTP2Frames

@Suite(.serialized) struct ServerHTTP2Tests {
    @Test func bothProtocolsShareAPort() throws {
        let server = try TestServer()
        let one = try server.client()
        let two = HTTP2Client(try server.client())
        #expect(one.get("/one")?.text == "GET /one ")
        two.socket.send(F.request(1, path: "/two"))
        let response = two.response(1)
        #expect(response.status == 200)
        #expect(response.body == Array("GET /two ".utf8))
        let isHTTP2 = server.group.reactors[0].sync { reactor in
            reactor.server?.connections.map(\.isHTTP2) ?? []
        }
        #expect(isHTTP2?.sorted { !$0 && $1 } == [false, true])
    }

    @Test func thePrefaceMayComeByteByByte() throws {
        let server = try TestServer()
        let client = HTTP2Client(try server.client(), start: [])
        for byte in F.start + F.request(1, path: "/x") { client.socket.send([byte]) }
        #expect(client.response(1).body == Array("GET /x ".utf8))
        // So may something that only begins like it.
        let other = try server.client()
        for byte in Array("PRI /x HTTP/1.1\r\nHost: a\r\n\r\n".utf8) { other.send([byte]) }
        #expect(other.responses(1).first?.text == "PRI /x ")
    }

    @Test func manyStreamsAreAnsweredEach() throws {
        let server = try TestServer()
        let client = HTTP2Client(try server.client())
        let ids = (0..<100).map { 2 * $0 + 1 }
        client.socket.send(
            ids.flatMap { F.request($0, method: "POST", path: "/\($0)", end: false) }
                + ids.flatMap { F.body($0, Array("b".utf8), end: true) })
        var open = Set(ids)
        var bodies: [Int: [UInt8]] = [:]
        _ = client.frames { frame in
            if frame.type == F.data { bodies[frame.stream, default: []] += frame.payload }
            if frame.endsStream { open.remove(frame.stream) }
            return open.isEmpty
        }
        for id in ids { #expect(bodies[id] == Array("POST /\(id) b".utf8)) }
        #expect(eventually { server.group.reactors[0].sync { $0.server?.openStreams } == 0 })
    }

    @Test func anAnswerToHeadNeedsNoWindow() throws {
        let server = try TestServer()
        let client = HTTP2Client(
            try server.client(), start: F.preface + F.settings([(4, 0)]))
        client.socket.send(F.request(1, method: "HEAD", path: "/x"))
        let frames = client.frames { $0.stream == 1 }
        #expect(frames.last?.type == F.headers && frames.last?.endsStream == true)
        #expect(eventually { server.group.reactors[0].sync { $0.server?.openStreams } == 0 })
        #expect(server.log.count(of: "gone") == 0)
        client.socket.send(F.request(3, method: "HEAD", path: "/x"))
        #expect(client.frames { $0.stream == 3 }.last?.endsStream == true)
    }

    @Test func aBodyThatIsAnnouncedAsTooLongIsRefusedBeforeItComes() throws {
        let server = try TestServer { $0.requestBodyBytes = 1_000 }
        let client = HTTP2Client(try server.client())
        client.socket.send(
            F.request(1, method: "POST", fields: [("content-length", "1001")], end: false))
        #expect(client.response(1).status == 413)
        client.socket.send(
            F.request(3, method: "POST", fields: [("content-length", "1000")], end: false)
                + F.body(3, [UInt8](repeating: 0x61, count: 1_000), end: true))
        #expect(client.response(3).status == 200)
        #expect(server.log.count(of: "request /") == 1)
    }

    @Test func whoWaitsForStatusAHundredGetsIt() throws {
        let server = try TestServer()
        let client = HTTP2Client(try server.client())
        let expects = [("expect", "100-Continue")]
        client.socket.send(F.request(1, method: "POST", fields: expects, end: false))
        let first = client.frames { $0.type == F.headers }.last
        #expect(first?.status == 100 && first?.endsStream == false)
        client.socket.send(F.body(1, Array("b".utf8), end: true))
        #expect(client.response(1).body == Array("POST / b".utf8))
        // Not who has sent everything, not who is refused, not who expects something else.
        client.socket.send(
            F.request(3, method: "POST", fields: expects, end: false)
                + F.body(3, Array("c".utf8), end: true))
        #expect(client.frames { $0.type == F.headers }.last?.status == 200)
        client.socket.send(
            F.request(5, method: "POST", path: "/refuse", fields: expects, end: false))
        #expect(client.frames { $0.stream == 5 && $0.type == F.headers }.last?.status == 404)
        client.socket.send(
            F.request(7, method: "POST", fields: [("expect", "x")], end: false))
        client.socket.send(F.body(7, [], end: true))
        #expect(client.frames { $0.stream == 7 && $0.type == F.headers }.last?.status == 200)
    }

    @Test func aBodyOverTheLimitIsAnsweredAndTheConnectionGoesOn() throws {
        let server = try TestServer { $0.requestBodyBytes = 30_000 }
        let client = HTTP2Client(try server.client())
        let piece = [UInt8](repeating: 1, count: 16_000)
        client.socket.send(
            F.request(1, method: "POST", end: false) + F.body(1, piece) + F.body(1, piece))
        let response = client.response(1)
        #expect(response.status == 413)
        let reset = client.frames { $0.type == F.rstStream }.last
        #expect(reset?.stream == 1)
        #expect(reset?.code == 0)
        client.socket.send(F.body(1, piece) + F.request(3, path: "/x"))
        #expect(client.response(3).body == Array("GET /x ".utf8))
    }

    @Test func headLimitsAreAnswered() throws {
        let server = try TestServer()
        let fields = (0..<150).map { ("f\($0)", "v") }
        let tooMany = HTTP2Client(try server.client())
        tooMany.socket.send(F.request(1, fields: fields))
        #expect(tooMany.response(1).status == 431)
        let tooLong = HTTP2Client(try server.client())
        tooLong.socket.send(F.request(1, path: "/" + String(repeating: "p", count: 9_000)))
        #expect(tooLong.response(1).status == 414)
        let refused = HTTP2Client(try server.client())
        refused.socket.send(F.request(1, path: "/refuse"))
        #expect(refused.response(1).status == 404)
        let head = HTTP2Client(try server.client())
        head.socket.send(F.request(1, method: "HEAD", path: "/chunks"))
        let response = head.response(1)
        #expect(response.status == 200 && response.body.isEmpty)
    }

    @Test func aSlowBodyIsRefused() throws {
        let server = try TestServer { $0.bodyTimeout = .milliseconds(300) }
        let client = HTTP2Client(try server.client())
        client.socket.send(F.request(1, method: "POST", end: false) + F.body(1, [1]))
        #expect(client.response(1).status == 408)
    }

    @Test func aResetOfOneStreamLeavesTheOthers() throws {
        let server = try TestServer()
        let client = HTTP2Client(try server.client())
        client.socket.send(F.request(1, path: "/stream") + F.request(3, path: "/hold"))
        #expect(eventually { server.log.count(of: "request /hold") == 1 })
        let left = MonotonicClock.now()
        client.socket.send(F.reset(1))
        #expect(eventually { server.log.count(of: "gone") == 1 })
        let noticed = try #require(server.log.time(of: "gone"))
        #expect(noticed - left < .seconds(1))
        client.socket.send(F.request(5, path: "/x"))
        #expect(client.response(5).body == Array("GET /x ".utf8))
        client.socket.close()
        #expect(eventually { server.log.count(of: "gone") == 2 })
        #expect(eventually { server.group.reactors[0].sync { $0.server?.openStreams } == 0 })
    }

    @Test(arguments: [true, false])
    func aClientThatLeavesIsNoticedAtOnce(withReset: Bool) throws {
        let isNoticed = try isAtOnce {
            let server = try TestServer()
            let client = HTTP2Client(try server.client())
            client.socket.send(F.request(1, path: "/flood"))
            _ = client.frames { $0.type == F.data }
            let left = MonotonicClock.now()
            if withReset { client.socket.reset() } else { client.socket.close() }
            #expect(eventually { server.log.count(of: "gone") == 1 })
            return server.log.time(of: "gone").map { $0 - left }
        }
        #expect(isNoticed)
    }

    @Test func aHandlerCanResetAStream() throws {
        let server = try TestServer()
        let client = HTTP2Client(try server.client())
        client.socket.send(F.request(1, path: "/abort"))
        let last = client.frames { $0.type == F.rstStream }.last
        #expect(last?.code == 2)
        client.socket.send(F.request(3, path: "/x"))
        #expect(client.response(3).body == Array("GET /x ".utf8))
    }

    // MARK: Slow readers and large responses

    @Test(arguments: [1, 2])
    func aLargeResponseArrivesIntact(version: Int) throws {
        let server = try TestServer()
        let count = 10_000_000
        let body: [UInt8]
        if version == 2 {
            let client = HTTP2Client(try server.client())
            client.socket.send(F.request(1, path: "/bytes/\(count)"))
            body = client.response(1).body
        } else {
            body = try server.client().get("/bytes/\(count)")?.body ?? []
        }
        #expect(body.count == count)
        #expect(PathHandler.isPattern(body))
        #expect(server.log.largestBuffer.withLock { $0 } <= (32 << 10) + 10_100)
        #expect(server.log.count(of: "drained") > 0)
    }

    @Test(arguments: [1, 2])
    func aSlowReaderHoldsLittle(version: Int) throws {
        let server = try TestServer()
        let socket = try server.client(receiveBuffer: 4_096)
        if version == 2 {
            socket.send(F.start + F.request(1, path: "/bytes/50000000"))
        } else {
            socket.send("GET /bytes/50000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        for _ in 0..<30 {
            _ = socket.receive(1_000)
            let buffered = server.group.reactors[0].sync { $0.server?.census().bufferedBytes ?? 0 }
            #expect(buffered ?? .max <= 200_000)
        }
        #expect(server.log.largestBuffer.withLock { $0 } <= (32 << 10) + 10_100)
    }

    @Test func aStreamWithoutWindowIsGivenUp() throws {
        let server = try TestServer { $0.stallTimeout = .milliseconds(600) }
        let client = HTTP2Client(try server.client())
        client.socket.send(F.request(1, path: "/flood") + F.request(3, path: "/x"))
        #expect(client.response(3).body == Array("GET /x ".utf8))
        let reset = client.frames { $0.type == F.rstStream }.last
        #expect(reset?.stream == 1)
        #expect(server.log.count(of: "gone") == 1)
    }

    @Test func aClientThatReadsNothingIsGivenUp() throws {
        let server = try TestServer { $0.stallTimeout = .milliseconds(600) }
        let client = HTTP2Client(try server.client(receiveBuffer: 4_096))
        // Windows wide open: only the socket holds the response back.
        client.socket.send(
            F.windowUpdate(0, 1 << 30) + F.settings([(4, 1 << 30)]) + F.request(1, path: "/flood"))
        #expect(eventually { server.log.count(of: "gone") == 1 })
        #expect(eventually { server.openConnections == 0 })
    }

    // MARK: The end

    @Test func drainingAnswersWhatRunsAndThenCloses() throws {
        let server = try TestServer()
        let two = HTTP2Client(try server.client())
        two.socket.send(F.request(1, path: "/bytes/1000000"))
        _ = two.frames { $0.type == F.data }
        let idle = try server.client()
        #expect(idle.get("/x")?.status == 200)
        server.group.reactors[0].post { $0.server?.drain() }
        #expect(idle.isClosedByPeer())
        var goAways = 0
        var received = 0
        _ = two.frames { frame in
            if frame.type == F.goAway { goAways += 1 }
            if frame.type == F.data {
                received += frame.payload.count
                two.socket.send(F.windowUpdate(0, 1 << 20) + F.windowUpdate(1, 1 << 20))
            }
            return frame.endsStream
        }
        #expect(goAways >= 1)
        #expect(eventually { server.openConnections == 0 })
    }
}
