import Foundation
import Testing

@testable import WireProtocols

/// A folder of certificates that goes with the last user.
final class TLSFiles {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("joulegate-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        let url = folder.appendingPathComponent(name)
        try Data(bytes).write(to: url)
        return url.path
    }

    /// Makes `<name>.pem` and `<name>.key`.
    func make(
        _ name: String, names: [String] = ["gateway.test"], seconds: Int = 3600
    ) throws -> (certificate: String, key: String) {
        let made = try SelfSignedCertificate.make(names: names, validSeconds: seconds)
        return (try write(made.certificate, name + ".pem"), try write(made.key, name + ".key"))
    }
}

/// The numbers of the versions as they stand in a greeting.
enum TLSVersion {
    static let v1_0: Int32 = 0x0301
    static let v1_1: Int32 = 0x0302
    static let v1_2: Int32 = 0x0303
    static let v1_3: Int32 = 0x0304
}

/// What one end of a connection has seen.
final class TLSEnd {
    var engine: TLSEngine
    var plaintext: [UInt8] = []
    var isClosed = false
    var error: TLSError?

    init(_ engine: consuming TLSEngine) { self.engine = engine }

    var isReady: Bool { engine.isHandshakeComplete }
    var agreed: TLSEngine.ALPN { engine.negotiatedProtocol }

    /// Takes what arrived, `chunk` bytes at a time, and remembers the first error.
    func take(_ bytes: [UInt8], chunk: Int) {
        var start = 0
        repeat {
            let end = min(bytes.count, start + chunk)
            let piece = Array(bytes[start..<end])
            do throws(TLSError) {
                try piece.receive(by: &engine)
                try engine.handshake()
                if try engine.read(into: &plaintext) == .closed { isClosed = true }
            } catch {
                if self.error == nil { self.error = error }
            }
            start = end
        } while start < bytes.count
    }

    /// Encrypts bytes and says how many were taken.
    func send(_ bytes: [UInt8]) throws(TLSError) -> Int { try bytes.write(to: &engine) }

    /// All that waits to be sent.
    func output() -> [UInt8] {
        var queue = BlockQueue(pool: BlockPool())
        engine.takeOutput(into: &queue)
        return queue.contents
    }
}

extension [UInt8] {
    func receive(by engine: inout TLSEngine) throws(TLSError) {
        var failure: TLSError?
        withUnsafeBytes { bytes in
            do throws(TLSError) { try engine.receive(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    func write(to engine: inout TLSEngine) throws(TLSError) -> Int {
        var failure: TLSError?
        let taken = withUnsafeBytes { bytes in
            do throws(TLSError) { return try engine.write(bytes) } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return taken
    }
}

/// A client and a server with a wire between them that is only memory.
final class TLSPair {
    let client: TLSEnd
    let server: TLSEnd
    let chunk: Int
    /// Changes what crosses the wire; called with every flight.
    var meddle: (inout [UInt8]) -> Void = { _ in }

    init(
        client: TLSContext, server: TLSContext, hostname: String = "gateway.test",
        chunk: Int = .max / 2
    ) throws {
        guard let clientEngine = TLSEngine(client: client, hostname: hostname),
            let serverEngine = TLSEngine(server: server)
        else { throw TLSError.setup("no engine") }
        self.client = TLSEnd(clientEngine)
        self.server = TLSEnd(serverEngine)
        self.chunk = chunk
    }

    /// Carries bytes until both ends are silent.
    func settle() {
        client.take([], chunk: chunk)
        for _ in 0..<64 {
            var up = client.output()
            if !up.isEmpty {
                meddle(&up)
                server.take(up, chunk: chunk)
            }
            var down = server.output()
            if !down.isEmpty {
                meddle(&down)
                client.take(down, chunk: chunk)
            }
            if up.isEmpty && down.isEmpty { return }
        }
        Issue.record("the two ends never fall silent")
    }

    var isReady: Bool {
        client.isReady && server.isReady
    }
}
