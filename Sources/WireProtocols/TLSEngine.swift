import COpenSSL

/// One TLS connection without a socket: ciphertext goes in and out as bytes, and so does
/// plaintext.
///
/// On every arrival call ``receive(_:)``, then ``handshake()``, then ``read(into:)``; after any
/// call, ``takeOutput(into:)`` has what must be sent. An error is final and every later call
/// throws it again, yet the alert that explains it to the peer still waits to be taken.
public struct TLSEngine: ~Copyable {
    /// The protocol that the two sides agreed to speak inside TLS.
    public enum ALPN: Sendable { case h2, http11, none }

    /// Whether more plaintext may come.
    public enum ReadResult: Sendable { case open, closed }

    /// The most memory a BIO may hold on to once it is empty. A memory BIO never shrinks, so a
    /// connection that was busy once would cost as much for ever.
    private static let keptCapacity = 32 << 10

    /// How much plaintext a record carries at most.
    ///
    /// Pieces of this size are also what to pass in and out at once: a memory BIO that takes more
    /// grows in steps, each of which wipes what it leaves, and gives it all back afterwards.
    public static let recordSize = 16 << 10

    private let ssl: OpaquePointer
    private var incoming: OpaquePointer
    private var outgoing: OpaquePointer
    private var failure: TLSError?
    private var isPeerClosed = false
    private var isShutDown = false

    /// The server's side of a connection; nil when `context` is a client's or memory ran out.
    public init?(server context: TLSContext) {
        guard context.isServer, let parts = Self.make(context) else { return nil }
        SSL_set_accept_state(parts.ssl)
        joulegate_ssl_count_handshake_steps(parts.ssl)
        (ssl, incoming, outgoing) = parts
    }

    /// The client's side of a connection to `hostname`, which may be an IP address. Nil when
    /// `context` is a server's, when the name cannot be one, or when memory ran out.
    public init?(client context: TLSContext, hostname: String) {
        guard !context.isServer, let parts = Self.make(context) else { return nil }
        guard Self.set(hostname: hostname, on: parts.ssl, verifies: context.verifies) else {
            SSL_free(parts.ssl)
            TLSErrorQueue.clear()
            return nil
        }
        SSL_set_connect_state(parts.ssl)
        (ssl, incoming, outgoing) = parts
    }

    deinit { SSL_free(ssl) }

    /// Whether plaintext may flow.
    public var isHandshakeComplete: Bool { SSL_is_init_finished(ssl) == 1 }

    /// Steps of handshakes so far, a server's only: a dozen for the first, and one or two for every
    /// key update that a client sends or asks for (RFC 8446 4.6.3), as often as it likes.
    public var handshakeSteps: Int { joulegate_ssl_handshake_steps(ssl) }

    /// What was agreed; `.none` before the handshake is complete.
    public var negotiatedProtocol: ALPN {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &start, &count)
        let name = UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(count))
        guard isHandshakeComplete else { return .none }
        if name.elementsEqual("h2".utf8) { return .h2 }
        if name.elementsEqual("http/1.1".utf8) { return .http11 }
        return .none
    }

    /// Takes bytes that arrived. What follows the peer's close_notify is dropped.
    public mutating func receive(_ ciphertext: UnsafeRawBufferPointer) throws(TLSError) {
        if let failure { throw failure }
        guard !isPeerClosed, !ciphertext.isEmpty else { return }
        TLSErrorQueue.clear()
        var written = 0
        guard
            BIO_write_ex(incoming, ciphertext.baseAddress, ciphertext.count, &written) == 1,
            written == ciphertext.count
        else { throw fail(.setup(TLSErrorQueue.take())) }
    }

    /// Takes the handshake as far as the bytes received allow; does nothing once it is complete.
    /// A client's first call writes its greeting.
    public mutating func handshake() throws(TLSError) {
        if let failure { throw failure }
        guard !isHandshakeComplete else { return }
        TLSErrorQueue.clear()
        let result = SSL_do_handshake(ssl)
        guard result != 1 else { return }
        if SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ { throw fail(lastError()) }
        TLSErrorQueue.clear()
    }

    /// Appends all the plaintext that the bytes received hold. `.closed` after the peer's
    /// close_notify; a connection that is merely cut off stays `.open`.
    public mutating func read(
        into plaintext: inout [UInt8]
    ) throws(TLSError) -> ReadResult {
        if let failure { throw failure }
        guard isHandshakeComplete else { return .open }
        guard !isPeerClosed else { return .closed }
        TLSErrorQueue.clear()
        let ssl = self.ssl
        let status = withUnsafeTemporaryAllocation(
            byteCount: Self.recordSize, alignment: 16
        ) { record in
            while true {
                var count = 0
                let result = SSL_read_ex(ssl, record.baseAddress, record.count, &count)
                guard result == 1 else { return SSL_get_error(ssl, result) }
                plaintext.append(contentsOf: UnsafeRawBufferPointer(rebasing: record[..<count]))
            }
        }
        switch status {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
            releaseIncoming()
            return .open
        case SSL_ERROR_ZERO_RETURN:
            isPeerClosed = true
            return .closed
        default:
            throw fail(lastError())
        }
    }

    /// Encrypts plaintext and returns how much of it was taken: all of it once the handshake is
    /// complete, and none before that or after ``shutdown()``.
    public mutating func write(
        _ plaintext: UnsafeRawBufferPointer
    ) throws(TLSError) -> Int {
        if let failure { throw failure }
        guard isHandshakeComplete, !isShutDown else { return 0 }
        TLSErrorQueue.clear()
        var taken = 0
        while taken < plaintext.count {
            let rest = UnsafeRawBufferPointer(rebasing: plaintext[taken...])
            var count = 0
            let result = SSL_write_ex(ssl, rest.baseAddress, rest.count, &count)
            if result == 1 {
                taken += count
                continue
            }
            switch SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return taken
            default: throw fail(lastError())
            }
        }
        return taken
    }

    /// Moves all the ciphertext that must be sent to the end of `output`.
    public mutating func takeOutput(into output: inout BlockQueue) {
        guard BIO_ctrl_pending(outgoing) > 0 else { return }
        while BIO_ctrl_pending(outgoing) > 0 {
            let room = output.room()
            var count = 0
            guard BIO_read_ex(outgoing, room.baseAddress, room.count, &count) == 1 else { return }
            output.commit(count)
        }
        releaseOutgoing()
    }

    /// Tells the peer that no more will be sent. Reading may go on.
    public mutating func shutdown() {
        guard failure == nil, !isShutDown, isHandshakeComplete else { return }
        isShutDown = true
        TLSErrorQueue.clear()
        _ = SSL_shutdown(ssl)
        TLSErrorQueue.clear()
    }

    /// Remembers the error, so that OpenSSL is not called again on a broken connection.
    private mutating func fail(_ error: TLSError) -> TLSError {
        failure = error
        return error
    }

    /// What OpenSSL says of the call that has just failed.
    private func lastError() -> TLSError {
        let verdict = SSL_get_verify_result(ssl)
        let reason = TLSErrorQueue.take()
        let refuses = SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER != 0
        if refuses, !isHandshakeComplete, verdict != Int(X509_V_OK),
            let text = X509_verify_cert_error_string(verdict)
        {
            return .peerCertificate(String(cString: text))
        }
        return .connection(reason)
    }
}

extension TLSEngine {
    /// Gives an empty but large read BIO's memory back.
    private mutating func releaseIncoming() {
        guard BIO_ctrl_pending(incoming) == 0,
            joulegate_bio_memory_capacity(incoming) > Self.keptCapacity,
            let fresh = joulegate_bio_memory()
        else { return }
        SSL_set0_rbio(ssl, fresh)
        incoming = fresh
    }

    /// Gives an empty but large write BIO's memory back.
    private mutating func releaseOutgoing() {
        guard joulegate_bio_memory_capacity(outgoing) > Self.keptCapacity,
            let fresh = joulegate_bio_memory()
        else { return }
        SSL_set0_wbio(ssl, fresh)
        outgoing = fresh
    }

    /// A connection with its two BIOs, which belong to it.
    private static func make(
        _ context: TLSContext
    ) -> (ssl: OpaquePointer, incoming: OpaquePointer, outgoing: OpaquePointer)? {
        TLSErrorQueue.clear()
        guard let ssl = SSL_new(context.handle) else {
            TLSErrorQueue.clear()
            return nil
        }
        guard let incoming = joulegate_bio_memory() else {
            SSL_free(ssl)
            TLSErrorQueue.clear()
            return nil
        }
        guard let outgoing = joulegate_bio_memory() else {
            BIO_free(incoming)
            SSL_free(ssl)
            TLSErrorQueue.clear()
            return nil
        }
        SSL_set_bio(ssl, incoming, outgoing)
        return (ssl, incoming, outgoing)
    }

    /// Names the server to itself, unless by address, and to the check of its certificate.
    private static func set(
        hostname: String, on ssl: OpaquePointer, verifies: Bool
    ) -> Bool {
        var name = hostname[...]
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        // An absolute name's last dot is in neither the greeting nor the certificate.
        if name.hasSuffix(".") { name = name.dropLast() }
        // OpenSSL takes an empty name for "any" and a leading dot for "any below".
        guard !name.isEmpty, !name.hasPrefix("."), !name.utf8.contains(0) else { return false }
        let text = String(name)
        if let address = a2i_IPADDRESS(text) {
            ASN1_OCTET_STRING_free(address)
            guard verifies else { return true }
            return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), text) == 1
        }
        TLSErrorQueue.clear()
        guard joulegate_ssl_set_server_name(ssl, text) == 1 else { return false }
        guard verifies else { return true }
        SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        return SSL_set1_host(ssl, text) == 1
    }
}
