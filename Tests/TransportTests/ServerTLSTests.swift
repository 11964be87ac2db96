import Foundation
import Glibc
import Testing

@testable import Transport
@testable import WireProtocols

@Suite struct ServerTLSTests {
    private static func context() throws -> TLSContext {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("joulegate-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let made = try SelfSignedCertificate.make(names: ["gateway.test"], validSeconds: 3_600)
        let certificate = folder.appendingPathComponent("a.pem")
        let key = folder.appendingPathComponent("a.key")
        try Data(made.certificate).write(to: certificate)
        try Data(made.key).write(to: key)
        return try TLSContext.server(certificatePath: certificate.path, keyPath: key.path)
    }

    private func sendOutput(of engine: inout TLSEngine, on client: RawClient) {
        var output = BlockQueue(pool: BlockPool())
        engine.takeOutput(into: &output)
        var bytes: [UInt8] = []
        output.forEachPiece(limit: .max) { bytes.append(contentsOf: $0) }
        client.send(bytes)
    }

    /// Nothing more can be encrypted for such a client: what still waits for it must not hold the
    /// connection open, however long the client stays.
    @Test func aBrokenRecordEndsAConnectionThatHasMoreToSay() throws {
        let server = try TestServer(tls: try Self.context())
        let client = try server.client(receiveBuffer: 8 << 10)
        let context = try TLSContext.client(caPath: nil, verify: false)
        guard var engine = TLSEngine(client: context, hostname: "gateway.test") else {
            throw RawClient.Failure()
        }
        try engine.handshake()
        sendOutput(of: &engine, on: client)
        while !engine.isHandshakeComplete {
            let bytes = try #require(client.receive())
            try bytes.withUnsafeBytes { try engine.receive($0) }
            try engine.handshake()
            sendOutput(of: &engine, on: client)
        }
        let request = Array("GET /bytes/50000000 HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        _ = try request.withUnsafeBytes { try engine.write($0) }
        sendOutput(of: &engine, on: client)
        #expect(eventually { server.log.count(of: "request /bytes/50000000") == 1 })
        // Until the way to the client is full.
        usleep(200_000)
        client.send([0x17, 3, 3, 0, 5, 1, 2, 3, 4, 5])
        #expect(client.isClosedByPeer())
        #expect(eventually { server.openConnections == 0 })
        #expect(server.log.count(of: "gone") == 1)
    }
}
