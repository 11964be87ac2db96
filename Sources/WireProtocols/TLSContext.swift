import COpenSSL

/// What every TLS connection of one kind shares: certificate, key, trusted authorities,
/// versions and ciphers.
// Unchecked: SSL_CTX counts its references atomically and is safe to use with SSL_new from many
// threads; nothing here changes it once the factory has returned it.
public final class TLSContext: @unchecked Sendable {
    /// TLS 1.2 with forward secrecy and authenticated encryption, and nothing else. TLS 1.3 has
    /// no other kind.
    static let ciphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
        + "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

    let handle: OpaquePointer
    let isServer: Bool
    /// Whether connections check the peer's certificate and name.
    let verifies: Bool

    /// Takes the ownership of `handle`.
    private init(handle: OpaquePointer, isServer: Bool, verifies: Bool) {
        self.handle = handle
        self.isServer = isServer
        self.verifies = verifies
    }

    deinit { SSL_CTX_free(handle) }

    /// A context for accepted connections. The certificate file holds the server's own
    /// certificate followed by the intermediate ones, in PEM.
    public static func server(
        certificatePath: String, keyPath: String
    ) throws(TLSError) -> TLSContext {
        let context = try make(TLS_server_method(), isServer: true, verifies: false)
        let handle = context.handle
        // An encrypted key is an error: nobody is there to be asked for the password.
        SSL_CTX_set_default_passwd_cb(handle) { _, _, _, _ in -1 }
        guard SSL_CTX_use_certificate_chain_file(handle, certificatePath) == 1 else {
            throw .certificate(path: certificatePath, reason: TLSErrorQueue.take())
        }
        guard SSL_CTX_use_PrivateKey_file(handle, keyPath, SSL_FILETYPE_PEM) == 1 else {
            let code = ERR_peek_error()
            let reason = TLSErrorQueue.take()
            if ERR_GET_LIB(code) == ERR_LIB_X509 {
                throw .keyMismatch(certificatePath: certificatePath, keyPath: keyPath)
            }
            throw .privateKey(path: keyPath, reason: reason)
        }
        guard SSL_CTX_check_private_key(handle) == 1 else {
            TLSErrorQueue.clear()
            throw .keyMismatch(certificatePath: certificatePath, keyPath: keyPath)
        }
        SSL_CTX_set_alpn_select_cb(
            handle,
            { _, chosen, chosenCount, offered, count, _ in
                TLSContext.select(
                    from: UnsafeBufferPointer(start: offered, count: Int(count)),
                    chosen, chosenCount)
            }, nil)
        return context
    }

    /// A context for connections to engines. `caPath` names a PEM file of trusted certificates;
    /// nil means the system's own. With `verify` off any certificate is accepted.
    public static func client(caPath: String?, verify: Bool) throws(TLSError) -> TLSContext {
        try client(caPath: caPath, verify: verify, protocols: ["http/1.1"])
    }

    /// As the public ``client(caPath:verify:)``, with the protocols to offer, best first.
    static func client(
        caPath: String?, verify: Bool, protocols: [String]
    ) throws(TLSError) -> TLSContext {
        let context = try make(TLS_client_method(), isServer: false, verifies: verify)
        let handle = context.handle
        if verify {
            let loaded =
                if let caPath { SSL_CTX_load_verify_file(handle, caPath) } else {
                    SSL_CTX_set_default_verify_paths(handle)
                }
            guard loaded == 1 else {
                throw .authorities(path: caPath, reason: TLSErrorQueue.take())
            }
            SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, nil)
        } else {
            SSL_CTX_set_verify(handle, SSL_VERIFY_NONE, nil)
        }
        var offer: [UInt8] = []
        for name in protocols {
            guard let length = UInt8(exactly: name.utf8.count), length > 0 else {
                throw .setup("not the name of a protocol: \(name)")
            }
            offer.append(length)
            offer.append(contentsOf: name.utf8)
        }
        // Unlike its neighbours this one returns 0 when it succeeds.
        guard offer.isEmpty || SSL_CTX_set_alpn_protos(handle, offer, UInt32(offer.count)) == 0
        else { throw .setup(TLSErrorQueue.take()) }
        TLSErrorQueue.clear()
        return context
    }

    /// Narrows or widens what the factories chose, before the first connection is made.
    func restrict(lowest: Int32, highest: Int32, ciphers: String) throws(TLSError) {
        guard joulegate_ssl_ctx_set_versions(handle, lowest, highest) == 1,
            SSL_CTX_set_cipher_list(handle, ciphers) == 1
        else { throw .setup(TLSErrorQueue.take()) }
    }

    private static func make(
        _ method: OpaquePointer?, isServer: Bool, verifies: Bool
    ) throws(TLSError) -> TLSContext {
        TLSErrorQueue.clear()
        guard let handle = SSL_CTX_new(method) else { throw .setup(TLSErrorQueue.take()) }
        let context = TLSContext(handle: handle, isServer: isServer, verifies: verifies)
        joulegate_ssl_ctx_set_defaults(handle)
        try context.restrict(
            lowest: TLS1_2_VERSION, highest: TLS1_3_VERSION, ciphers: TLSContext.ciphers)
        return context
    }

    /// Chooses HTTP/2 over HTTP/1.1 whatever the client's order. A client that offers neither is
    /// refused (RFC 7301, section 3.2); one that offers nothing is not asked.
    private static func select(
        from offered: UnsafeBufferPointer<UInt8>,
        _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
        _ chosenCount: UnsafeMutablePointer<UInt8>?
    ) -> Int32 {
        for wanted: StaticString in ["h2", "http/1.1"] {
            var index = 0
            while index < offered.count {
                let start = index + 1
                let end = start + Int(offered[index])
                guard end <= offered.count else { break }
                let name = UnsafeBufferPointer(rebasing: offered[start..<end])
                if wanted.withUTF8Buffer({ $0.elementsEqual(name) }) {
                    chosen?.pointee = name.baseAddress
                    chosenCount?.pointee = UInt8(truncatingIfNeeded: name.count)
                    return SSL_TLSEXT_ERR_OK
                }
                index = end
            }
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
}
