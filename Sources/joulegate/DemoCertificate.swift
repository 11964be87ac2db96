import Configuration
import Foundation
import Gateway

/// The demo's certificate: self-signed, made on the first run, kept for the next.
enum DemoCertificate {
    static func prepare(for configuration: GatewayConfiguration) throws {
        for tls in configuration.listeners.compactMap(\.tls) {
            let files = FileManager.default
            if files.fileExists(atPath: tls.certificate), files.fileExists(atPath: tls.key) {
                continue
            }
            let pair = try SelfSignedPair.make(
                names: ["localhost", "127.0.0.1", "::1"], validSeconds: 365 * 86_400)
            try write(pair.certificate, to: tls.certificate, permissions: 0o644)
            try write(pair.key, to: tls.key, permissions: 0o600)
        }
    }

    private static func write(_ bytes: [UInt8], to path: String, permissions: Int) throws {
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        }
        let made = FileManager.default.createFile(
            atPath: path, contents: Data(bytes), attributes: [.posixPermissions: permissions])
        guard made else { throw CocoaError(.fileWriteUnknown) }
    }
}
