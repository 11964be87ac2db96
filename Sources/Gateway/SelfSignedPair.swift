import WireProtocols

/// A self-signed certificate for trying TLS without an authority; PEM.
public enum SelfSignedPair {
    public static func make(
        names: [String], validSeconds: Int
    ) throws -> (certificate: [UInt8], key: [UInt8]) {
        try SelfSignedCertificate.make(names: names, validSeconds: validSeconds)
    }
}
