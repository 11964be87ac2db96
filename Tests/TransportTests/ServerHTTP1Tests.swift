import InferenceTypes
import Testing

@testable import Transport

@Suite(.serialized) struct ServerHTTP1Tests {
    @Test func oneConnectionCarriesManyRequests() throws {
        let server = try TestServer()
        let client = try server.client()
        for index in 0..<5 {
            let response = client.get("/\(index)")
            #expect(response?.status == 200)
            #expect(response?.text == "GET /\(index) ")
        }
        #expect(server.openConnections == 1)
        client.close()
        #expect(eventually { server.openConnections == 0 })
        #expect(server.log.count(of: "gone") == 0)
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() throws {
        let server = try TestServer()
        let client = try server.client()
        let texts = (0..<3).map {
            "POST /\($0) HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n\($0)"
        }
        client.send(texts.joined())
        #expect(client.responses(3).map(\.text) == ["POST /0 0", "POST /1 1", "POST /2 2"])
        // The same byte by byte.
        for byte in texts.joined().utf8 { client.send([byte]) }
        #expect(client.responses(3).map(\.text) == ["POST /0 0", "POST /1 1", "POST /2 2"])
    }

    @Test func aRequestBehindAnUnansweredOneWaits() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send(
            "GET /bytes/300000 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        let responses = client.responses(2)
        #expect(responses.map(\.body.count) == [300_000, 7])
    }

    @Test func expectationsAreMet() throws {
        let server = try TestServer()
        let client = try server.client()
        let head =
            "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
            + "Expect: 100-continue\r\n\r\n"
        client.send(head)
        #expect(client.receive(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("hello")
        #expect(client.responses(1).first?.text == "POST /x hello")
        // A refusal comes instead of the invitation.
        client.send(head.replacing("/x", with: "/refuse"))
        #expect(client.responses(1).first?.status == 404)
    }

    @Test func chunkedBodiesAreJoined() throws {
        let server = try TestServer()
        let client = try server.client()
        let text =
            "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: v\r\n\r\n"
        client.send(text)
        #expect(client.responses(1).first?.text == "POST /x abcdefg")
        for byte in text.utf8 { client.send([byte]) }
        #expect(client.responses(1).first?.text == "POST /x abcdefg")
    }

    @Test func responsesOfUnknownLengthAreChunked() throws {
        let server = try TestServer()
        let client = try server.client()
        let response = client.get("/chunks")
        #expect(response?.text == "one two three")
        #expect(client.get("/again")?.status == 200)
    }

    @Test func anHTTP10ClientIsUnderstood() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send("GET /chunks HTTP/1.0\r\n\r\n")
        let text = String(decoding: client.receiveAll(), as: UTF8.self)
        #expect(text.hasSuffix("\r\n\r\none two three"))
        #expect(text.contains("connection: close\r\n") && !text.contains("chunked"))

        let lasting = try server.client()
        for path in ["/a", "/b"] {
            lasting.send("GET \(path) HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let answer = lasting.receive(through: "GET \(path) ")
            // Unless it is told so, such a client waits for the end of the connection.
            #expect(answer.contains("connection: keep-alive\r\n"))
        }
    }

    @Test func aHeadRequestGetsNoBody() throws {
        let server = try TestServer()
        let client = try server.client()
        for _ in 0..<2 {
            client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n")
            let response = client.responses(1, toHead: true).first
            #expect(response?.fields.contains("content-length: 8") == true)
        }
        client.send("HEAD /chunks HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.responses(1, toHead: true).first?.status == 200)
        #expect(client.get("/y")?.text == "GET /y ")
    }

    @Test func refusingARequestWithoutBodyKeepsTheConnection() throws {
        let server = try TestServer()
        let client = try server.client()
        for _ in 0..<3 { #expect(client.get("/refuse")?.status == 404) }
        let early = client.get("/early")
        #expect(early?.status == 204)
        #expect(early?.fields.contains { $0.hasPrefix("content-length") } == false)
        #expect(client.get("/x")?.status == 200)
        #expect(server.log.all == ["request /x"])
    }

    // MARK: Refusals

    @Test(arguments: [false, true])
    func aBodyOverTheLimitIsAnsweredAndTheAnswerArrives(isChunked: Bool) throws {
        let server = try TestServer { $0.requestBodyBytes = 100_000 }
        let client = try server.client()
        let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 2000000"
        client.send("POST /x HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
        if isChunked { client.send("1e8480\r\n") }
        // The client goes on sending; a reset from the server must not destroy the answer.
        for _ in 0..<20 where !client.send([UInt8](repeating: 1, count: 100_000)) { break }
        let response = client.responses(1).first
        #expect(response?.status == 413)
        #expect(client.isClosedByPeer())
        #expect(server.log.all == ["refused 413"])
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
        ("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        ("GET /\(String(repeating: "p", count: 9_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "v", count: 80_000))\r\n\r\n", 431),
    ])
    func malformedRequestsAreAnsweredAndTheConnectionEnds(text: String, status: Int) throws {
        let server = try TestServer()
        let client = try server.client()
        client.send(text)
        #expect(client.responses(1).first?.status == status)
        #expect(client.isClosedByPeer())
    }

    @Test func slowRequestsAreRefused() throws {
        let server = try TestServer {
            $0.bodyTimeout = .milliseconds(300)
            $0.headerTimeout = .milliseconds(300)
        }
        let client = try server.client()
        client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        #expect(client.responses(1).first?.status == 408)
        #expect(client.isClosedByPeer())
        // The head of a second request on a connection has no more time than the first.
        let second = try server.client()
        #expect(second.get("/x")?.status == 200)
        second.send("GET /y HT")
        #expect(second.responses(1).first?.status == 408)
    }

    @Test func anIdleConnectionIsClosed() throws {
        let server = try TestServer { $0.idleTimeout = .milliseconds(200) }
        let client = try server.client()
        #expect(client.get("/x")?.status == 200)
        #expect(client.isClosedByPeer())
    }

    @Test func pipeliningWithoutReadingIsHeldBack() throws {
        let server = try TestServer { $0.stallTimeout = .milliseconds(700) }
        let client = try server.client(receiveBuffer: 4_096)
        let path = "/" + String(repeating: "p", count: 4_000)
        let request = "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n"
        let thousand = Array(String(repeating: request, count: 100).utf8)
        // 80 MB of requests would be 80 MB of answers.
        for _ in 0..<200 where !client.send(thousand) { break }
        let buffered = server.group.reactors[0].sync { $0.server?.census().bufferedBytes ?? 0 }
        #expect(buffered ?? .max < 1 << 20)
        // And a client that never reads is given up.
        #expect(eventually { server.openConnections == 0 })
    }

    // MARK: Clients that leave

    @Test(arguments: ["/hold", "/stream", "/flood"], [true, false])
    func aClientThatLeavesIsNoticedAtOnce(path: String, withReset: Bool) throws {
        let isNoticed = try isAtOnce {
            let server = try TestServer()
            let client = try server.client()
            client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(eventually { server.log.count(of: "request \(path)") == 1 })
            if path != "/hold" { _ = client.receive(10) }
            let left = MonotonicClock.now()
            if withReset { client.reset() } else { client.close() }
            #expect(eventually { server.log.count(of: "gone") == 1 })
            #expect(eventually { server.openConnections == 0 })
            #expect(server.log.count(of: "gone") == 1)
            return server.log.time(of: "gone").map { $0 - left }
        }
        #expect(isNoticed)
    }

    @Test func aRequestAndAFarewellInOnePacketAreBothSeen() throws {
        let server = try TestServer()
        for count in 1...50 {
            let client = try server.client()
            client.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
            client.close()
            #expect(eventually { server.log.count(of: "gone") == count })
        }
        #expect(eventually { server.openConnections == 0 })
    }

    @Test func anAbortedResponseCutsTheConnection() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send("GET /abort HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.isClosedByPeer())
    }
}
