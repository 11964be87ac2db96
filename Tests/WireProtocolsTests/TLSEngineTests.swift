import InferenceTypes
import Testing

@testable import WireProtocols

@Suite struct TLSEngineTests {
    private let files: TLSFiles
    private let server: TLSContext
    private let certificate: String

    init() throws {
        files = try TLSFiles()
        let made = try files.make(
            "server", names: ["gateway.test", "*.pool.test", "127.0.0.1", "::1"])
        certificate = made.certificate
        server = try .server(certificatePath: made.certificate, keyPath: made.key)
    }

    private func client(
        protocols: [String] = ["http/1.1"], versions: ClosedRange<Int32>? = nil,
        ciphers: String = TLSContext.ciphers
    ) throws -> TLSContext {
        let context = try TLSContext.client(
            caPath: certificate, verify: true, protocols: protocols)
        if let versions {
            try context.restrict(
                lowest: versions.lowerBound, highest: versions.upperBound, ciphers: ciphers)
        }
        return context
    }

    private static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = RandomSource(seed: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    @Test(arguments: [TLSVersion.v1_2, TLSVersion.v1_3], [1, 7, 1 << 20])
    func handshakeAndConversation(version: Int32, chunk: Int) throws {
        let pair = try TLSPair(
            client: client(versions: version...version), server: server, chunk: chunk)
        #expect(!pair.isReady)
        #expect(pair.client.agreed == .none)
        pair.settle()
        #expect(pair.isReady)
        #expect(pair.client.error == nil && pair.server.error == nil)
        #expect(pair.client.agreed == .http11)
        #expect(pair.server.agreed == .http11)

        #expect(try pair.client.send(Array("question".utf8)) == 8)
        pair.settle()
        #expect(pair.server.plaintext == Array("question".utf8))
        #expect(try pair.server.send(Array("answer".utf8)) == 6)
        pair.settle()
        #expect(pair.client.plaintext == Array("answer".utf8))
        #expect(!pair.client.isClosed && !pair.server.isClosed)
    }

    @Test(arguments: [
        (["h2", "http/1.1"], TLSEngine.ALPN.h2), (["http/1.1", "h2"], .h2), (["h2"], .h2),
        (["http/1.1"], .http11), (["spdy/3", "http/1.1"], .http11), ([], .none),
    ])
    func theServerPrefersHTTP2(offer: [String], expected: TLSEngine.ALPN) throws {
        let pair = try TLSPair(client: client(protocols: offer), server: server)
        pair.settle()
        #expect(pair.isReady)
        #expect(pair.client.agreed == expected)
        #expect(pair.server.agreed == expected)
    }

    @Test func aClientThatSpeaksNeitherIsRefused() throws {
        let pair = try TLSPair(client: client(protocols: ["h2c", "h", "h22"]), server: server)
        pair.settle()
        #expect(!pair.isReady)
        #expect(pair.server.error != nil && pair.client.error != nil)
    }

    @Test(arguments: ["gateway.test", "a.pool.test", "gateway.test.", "127.0.0.1", "::1", "[::1]"])
    func itsOwnNamesAreAccepted(hostname: String) throws {
        let pair = try TLSPair(client: client(), server: server, hostname: hostname)
        pair.settle()
        #expect(pair.isReady)
        #expect(pair.client.error == nil)
    }

    @Test(arguments: [
        "other.test", "pool.test", "a.b.pool.test", "127.0.0.2", "::2", "gateway.test.evil",
    ])
    func anotherNameIsRefused(hostname: String) throws {
        let pair = try TLSPair(client: client(), server: server, hostname: hostname)
        pair.settle()
        guard case .peerCertificate(let reason) = pair.client.error else {
            Issue.record("not refused: \(String(describing: pair.client.error))")
            return
        }
        #expect(reason.contains("mismatch"))
        #expect(pair.server.error != nil)
        #expect(throws: TLSError.self) { try pair.client.send(Array("secret".utf8)) }
    }

    @Test(arguments: ["", ".", ".gateway.test", "gateway.test\0.evil", "[]"])
    func whatCannotBeANameIsRefused(hostname: String) throws {
        #expect((TLSEngine(client: try client(), hostname: hostname) != nil) == false)
    }

    @Test func aNameTooLongForAGreetingIsRefused() throws {
        let name = String(repeating: "a", count: 256)
        #expect((TLSEngine(client: try client(), hostname: name) != nil) == false)
    }

    @Test func contextsAreOfOneSide() throws {
        #expect((TLSEngine(client: server, hostname: "gateway.test") != nil) == false)
        #expect((TLSEngine(server: try client()) != nil) == false)
    }

    @Test func anUnknownAuthorityIsRefused() throws {
        let other = try files.make("other")
        let wrong = try TLSContext.client(caPath: other.certificate, verify: true)
        let pair = try TLSPair(client: wrong, server: server)
        pair.settle()
        guard case .peerCertificate = pair.client.error else {
            Issue.record("not refused: \(String(describing: pair.client.error))")
            return
        }
        #expect(pair.server.error != nil)
    }

    @Test func theSystemsAuthoritiesRefuseAStranger() throws {
        let system = try TLSContext.client(caPath: nil, verify: true)
        let pair = try TLSPair(client: system, server: server)
        pair.settle()
        guard case .peerCertificate = pair.client.error else {
            Issue.record("not refused: \(String(describing: pair.client.error))")
            return
        }
    }

    @Test func anExpiredCertificateIsRefused() throws {
        let old = try files.make("old", seconds: -60)
        let context = try TLSContext.server(certificatePath: old.certificate, keyPath: old.key)
        let trusting = try TLSContext.client(caPath: old.certificate, verify: true)
        let pair = try TLSPair(client: trusting, server: context)
        pair.settle()
        #expect(pair.client.error == .peerCertificate("certificate has expired"))
    }

    @Test func withoutVerificationAnyCertificateWillDo() throws {
        let old = try files.make("old", seconds: -60)
        let context = try TLSContext.server(certificatePath: old.certificate, keyPath: old.key)
        let careless = try TLSContext.client(caPath: nil, verify: false)
        let pair = try TLSPair(client: careless, server: context, hostname: "10.0.0.1")
        pair.settle()
        #expect(pair.isReady)
    }

    @Test func oldVersionsAndCiphersAreRefused() throws {
        let attempts: [(ClosedRange<Int32>, String)] = [
            (TLSVersion.v1_0...TLSVersion.v1_1, "ALL:@SECLEVEL=0"),
            (TLSVersion.v1_2...TLSVersion.v1_2, "ECDHE-ECDSA-AES128-SHA256"),
            (TLSVersion.v1_2...TLSVersion.v1_2, "ECDHE-ECDSA-AES256-SHA"),
            (TLSVersion.v1_2...TLSVersion.v1_2, "AES128-GCM-SHA256"),
        ]
        for (versions, ciphers) in attempts {
            let pair = try TLSPair(
                client: client(versions: versions, ciphers: ciphers), server: server)
            pair.settle()
            #expect(!pair.isReady)
            #expect(pair.server.error != nil, "\(ciphers)")
            #expect(pair.client.error != nil, "\(ciphers)")
        }
    }

    @Test(arguments: [TLSVersion.v1_2, TLSVersion.v1_3])
    func aMebibyteEachWay(version: Int32) throws {
        let pair = try TLSPair(client: client(versions: version...version), server: server)
        pair.settle()
        let up = Self.noise(1 << 20, seed: 1)
        let down = Self.noise(1 << 20, seed: 2)
        #expect(try pair.client.send(up) == up.count)
        #expect(try pair.server.send(down) == down.count)
        pair.settle()
        #expect(pair.server.plaintext == up)
        #expect(pair.client.plaintext == down)
        // And the connection goes on, though the large buffers were given back.
        #expect(try pair.client.send(Array("more".utf8)) == 4)
        #expect(try pair.server.send(Array("yes".utf8)) == 3)
        pair.settle()
        #expect(pair.server.plaintext.suffix(4) == Array("more".utf8))
        #expect(pair.client.plaintext.suffix(3) == Array("yes".utf8))
    }

    @Test func nothingIsWrittenBeforeTheHandshakeOrAfterTheShutdown() throws {
        let pair = try TLSPair(client: client(), server: server)
        #expect(try pair.client.send(Array("early".utf8)) == 0)
        pair.client.engine.shutdown()
        pair.settle()
        #expect(pair.isReady)
        #expect(try pair.client.send([]) == 0)
        pair.client.engine.shutdown()
        #expect(try pair.client.send(Array("late".utf8)) == 0)
    }

    @Test(arguments: [TLSVersion.v1_2, TLSVersion.v1_3], [1, 1 << 20])
    func closeNotifyIsSeen(version: Int32, chunk: Int) throws {
        let pair = try TLSPair(
            client: client(versions: version...version), server: server, chunk: chunk)
        pair.settle()
        #expect(try pair.client.send(Array("last".utf8)) == 4)
        pair.client.engine.shutdown()
        pair.client.engine.shutdown()
        pair.settle()
        #expect(pair.server.plaintext == Array("last".utf8))
        #expect(pair.server.isClosed)
        #expect(!pair.client.isClosed)
        // What follows a close_notify is dropped, not kept.
        pair.server.take(Self.noise(1000, seed: 3), chunk: 1000)
        #expect(pair.server.error == nil)
        pair.server.engine.shutdown()
        pair.settle()
        #expect(pair.client.isClosed)
    }

    @Test func aHalfClosedConnectionStillAnswers() throws {
        let pair = try TLSPair(
            client: client(versions: TLSVersion.v1_3...TLSVersion.v1_3), server: server)
        pair.settle()
        pair.client.engine.shutdown()
        pair.settle()
        #expect(pair.server.isClosed)
        #expect(try pair.server.send(Array("answer".utf8)) == 6)
        pair.settle()
        #expect(pair.client.plaintext == Array("answer".utf8))
    }

    @Test func truncationIsNotAClose() throws {
        let pair = try TLSPair(client: client(), server: server)
        pair.settle()
        #expect(try pair.client.send(Self.noise(1000, seed: 4)) == 1000)
        pair.client.engine.shutdown()
        let flight = pair.client.output()
        pair.server.take(Array(flight.dropLast(1)), chunk: 100)
        #expect(pair.server.plaintext.count == 1000)
        #expect(!pair.server.isClosed)
        #expect(pair.server.error == nil)
        pair.server.take(Array(flight.suffix(1)), chunk: 100)
        #expect(pair.server.isClosed)
    }
}

@Suite struct TLSGarbageTests {
    private let files: TLSFiles
    private let server: TLSContext
    private let client: TLSContext

    init() throws {
        files = try TLSFiles()
        let made = try files.make("server")
        server = try .server(certificatePath: made.certificate, keyPath: made.key)
        client = try .client(caPath: made.certificate, verify: true)
    }

    private func noise(_ count: Int, _ random: inout RandomSource) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    @Test func noiseInsteadOfAGreeting() throws {
        var random = RandomSource(seed: 11)
        for round in 0..<200 {
            let pair = try TLSPair(client: client, server: server)
            let bytes = noise(40_000, &random)
            let chunk = round % 2 == 0 ? 40_000 : 1 + random.nextIndex(below: 400)
            pair.server.take(bytes, chunk: chunk)
            pair.client.take(bytes, chunk: chunk)
            #expect(pair.server.error != nil && pair.client.error != nil)
            #expect(pair.server.plaintext.isEmpty && pair.client.plaintext.isEmpty)
        }
    }

    @Test func plainHTTPInsteadOfAGreeting() throws {
        let pair = try TLSPair(client: client, server: server)
        pair.server.take(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), chunk: 100)
        #expect(pair.server.error == .connection("http request"))
    }

    @Test func oneWrongByteInTheHandshake() throws {
        var random = RandomSource(seed: 12)
        for version in [TLSVersion.v1_2, TLSVersion.v1_3] {
            try client.restrict(lowest: version, highest: version, ciphers: TLSContext.ciphers)
            for _ in 0..<200 {
                let pair = try TLSPair(client: client, server: server)
                var flight = random.nextIndex(below: 4)
                var source = random
                pair.meddle = { bytes in
                    defer { flight -= 1 }
                    guard flight == 0, !bytes.isEmpty else { return }
                    bytes[source.nextIndex(below: bytes.count)] ^= 1 << UInt8(source.next() % 8)
                }
                pair.settle()
                pair.meddle = { _ in }
                pair.settle()
                _ = random.next()
                // A record cut short leaves an end waiting; what may not be is a connection.
                if pair.isReady, pair.client.error == nil, pair.server.error == nil {
                    #expect(try pair.client.send(Array("hello".utf8)) == 5)
                    pair.settle()
                    #expect(
                        pair.server.plaintext == Array("hello".utf8)
                            || pair.server.plaintext.isEmpty)
                }
            }
        }
    }

    @Test func oneWrongByteInTheConversation() throws {
        var random = RandomSource(seed: 13)
        for _ in 0..<100 {
            let pair = try TLSPair(client: client, server: server)
            pair.settle()
            #expect(try pair.client.send(noise(100, &random)) == 100)
            var flight = pair.client.output()
            // Past the header: a wrong length there only makes the server wait.
            flight[5 + random.nextIndex(below: flight.count - 5)] ^= 0x40
            pair.server.take(flight, chunk: 1000)
            #expect(pair.server.error != nil)
            #expect(pair.server.plaintext.isEmpty)
            // The error is final, and its alert reaches the client.
            let first = pair.server.error
            pair.server.error = nil
            pair.server.take(flight, chunk: 1000)
            #expect(pair.server.error == first)
            pair.server.engine.shutdown()
            pair.settle()
            #expect(pair.client.error != nil)
        }
    }

    @Test func noiseInTheConversation() throws {
        var random = RandomSource(seed: 14)
        for _ in 0..<100 {
            let pair = try TLSPair(client: client, server: server)
            pair.settle()
            pair.server.take(noise(40_000, &random), chunk: 40_000)
            pair.client.take(noise(40_000, &random), chunk: 999)
            #expect(pair.server.error != nil && pair.client.error != nil)
            #expect(pair.server.plaintext.isEmpty && pair.client.plaintext.isEmpty)
        }
    }
}
