import COpenSSL

/// Why TLS could not be set up, or why a connection cannot go on. The text is OpenSSL's own.
public enum TLSError: Error, CustomStringConvertible, Equatable {
    /// OpenSSL refused a setting or ran out of memory.
    case setup(String)
    /// The certificate chain could not be read.
    case certificate(path: String, reason: String)
    /// The private key could not be read.
    case privateKey(path: String, reason: String)
    /// The private key is not the certificate's.
    case keyMismatch(certificatePath: String, keyPath: String)
    /// The trusted authorities could not be read.
    case authorities(path: String?, reason: String)
    /// The peer's certificate was refused.
    case peerCertificate(String)
    /// The peer broke the protocol, or refused us with an alert.
    case connection(String)

    public var description: String {
        switch self {
        case .setup(let reason):
            "TLS could not be set up: \(reason)"
        case .certificate(let path, let reason):
            "cannot use the certificate chain \(path): \(reason)"
        case .privateKey(let path, let reason):
            "cannot use the private key \(path): \(reason)"
        case .keyMismatch(let certificatePath, let keyPath):
            "the private key \(keyPath) does not belong to the certificate \(certificatePath)"
        case .authorities(let path?, let reason):
            "cannot use the trusted authorities \(path): \(reason)"
        case .authorities(nil, let reason):
            "cannot use the system's trusted authorities: \(reason)"
        case .peerCertificate(let reason):
            "the peer's certificate was refused: \(reason)"
        case .connection(let reason):
            "the TLS connection failed: \(reason)"
        }
    }
}

/// OpenSSL's queue of errors, one to a thread.
enum TLSErrorQueue {
    /// The reason of the oldest error, which is the cause of the others; empties the queue.
    static func take() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return "unknown reason" }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let start = buffer.baseAddress else { return "unknown reason" }
            ERR_error_string_n(code, start, buffer.count)
            // error:<code>:<library>:<function>:<reason>
            let parts = String(cString: start).split(
                separator: ":", maxSplits: 4, omittingEmptySubsequences: false)
            return parts.last.map(String.init) ?? "unknown reason"
        }
    }

    /// Forgets every error. Nothing earlier may be mistaken for the outcome of the next call.
    static func clear() { ERR_clear_error() }
}
