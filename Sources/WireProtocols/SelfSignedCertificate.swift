import COpenSSL

/// Makes a certificate that vouches for itself, for a first run and for tests. A client trusts
/// it by having the certificate itself among its trusted authorities.
public enum SelfSignedCertificate {
    /// The clocks of two machines may differ by this much.
    private static let clockSlackSeconds = 3600

    /// The longest validity that dates in a certificate can be relied on to express.
    private static let longestSeconds = 100 * 365 * 86400

    /// A P-256 certificate for `names`, each a DNS name or an IP address, and its private key,
    /// both in PEM. It is valid from an hour ago until `validSeconds` from now.
    public static func make(
        names: [String], validSeconds: Int
    ) throws(TLSError) -> (certificate: [UInt8], key: [UInt8]) {
        guard !names.isEmpty else { throw .setup("a certificate needs a name") }
        guard (-longestSeconds...longestSeconds).contains(validSeconds) else {
            throw .setup("a certificate cannot be valid for \(validSeconds) seconds")
        }
        TLSErrorQueue.clear()
        guard let key = joulegate_new_p256_key() else { throw .setup(TLSErrorQueue.take()) }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw .setup(TLSErrorQueue.take()) }
        defer { X509_free(certificate) }

        guard X509_set_version(certificate, 2) == 1, setSerial(of: certificate),
            setValidity(of: certificate, seconds: validSeconds),
            setSubject(of: certificate), X509_set_pubkey(certificate, key) == 1,
            addUsage(to: certificate)
        else { throw .setup(TLSErrorQueue.take()) }
        try add(names: names, to: certificate)
        guard X509_sign(certificate, key, EVP_sha256()) > 0,
            let certificateText = pem({ PEM_write_bio_X509($0, certificate) }),
            let keyText = pem({ PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) })
        else { throw .setup(TLSErrorQueue.take()) }
        TLSErrorQueue.clear()
        return (certificateText, keyText)
    }

    /// 127 random bits, of which the first is set: positive, and the same length every time.
    private static func setSerial(of certificate: OpaquePointer) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard RAND_bytes(&bytes, Int32(bytes.count)) == 1 else { return false }
        bytes[0] = bytes[0] & 0x7F | 0x40
        guard let number = BN_bin2bn(bytes, Int32(bytes.count), nil) else { return false }
        defer { BN_free(number) }
        return BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil
    }

    private static func setValidity(of certificate: OpaquePointer, seconds: Int) -> Bool {
        X509_gmtime_adj(X509_getm_notBefore(certificate), -clockSlackSeconds) != nil
            && X509_gmtime_adj(X509_getm_notAfter(certificate), seconds) != nil
    }

    /// Names the certificate and, as it vouches for itself, its issuer. Nobody should look for a
    /// host here, so it says what made it.
    private static func setSubject(of certificate: OpaquePointer) -> Bool {
        let text = Array("joulegate self-signed".utf8)
        guard let name = X509_get_subject_name(certificate) else { return false }
        return X509_NAME_add_entry_by_txt(
            name, "CN", MBSTRING_UTF8, text, Int32(text.count), -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1
    }

    /// A server's certificate, which may vouch for no other. The key must be in place.
    private static func addUsage(to certificate: OpaquePointer) -> Bool {
        let extensions: [(Int32, String)] = [
            (NID_basic_constraints, "critical,CA:FALSE"),
            (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, "serverAuth"),
            (NID_subject_key_identifier, "hash"),
        ]
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        for (kind, value) in extensions {
            guard let addition = X509V3_EXT_conf_nid(nil, &context, kind, value) else {
                return false
            }
            defer { X509_EXTENSION_free(addition) }
            guard X509_add_ext(certificate, addition, -1) == 1 else { return false }
        }
        return true
    }

    /// Adds the names as they are, not through OpenSSL's configuration language, in which a
    /// comma would start another.
    private static func add(
        names: [String], to certificate: OpaquePointer
    ) throws(TLSError) {
        guard let list = GENERAL_NAMES_new() else { throw .setup(TLSErrorQueue.take()) }
        defer { GENERAL_NAMES_free(list) }
        for text in names {
            guard let name = generalName(text) else {
                TLSErrorQueue.clear()
                throw .setup("neither a DNS name nor an IP address: \(text)")
            }
            guard joulegate_general_names_push(list, name) > 0 else {
                GENERAL_NAME_free(name)
                throw .setup(TLSErrorQueue.take())
            }
        }
        guard X509_add1_ext_i2d(
            certificate, NID_subject_alt_name, UnsafeMutableRawPointer(list), 0, 0) == 1
        else { throw .setup(TLSErrorQueue.take()) }
    }

    /// An address when it reads as one, a DNS name otherwise; nil when it cannot be a name.
    private static func generalName(_ text: String) -> UnsafeMutablePointer<GENERAL_NAME>? {
        let allowed = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        guard allowed, !text.isEmpty, let length = Int32(exactly: text.utf8.count),
            let name = GENERAL_NAME_new()
        else { return nil }
        if let address = a2i_IPADDRESS(text) {
            GENERAL_NAME_set0_value(name, GEN_IPADD, address)
            return name
        }
        guard let value = ASN1_IA5STRING_new(), ASN1_STRING_set(value, text, length) == 1
        else {
            GENERAL_NAME_free(name)
            return nil
        }
        GENERAL_NAME_set0_value(name, GEN_DNS, value)
        return name
    }

    /// What `write` writes into a BIO.
    private static func pem(_ write: (OpaquePointer) -> Int32) -> [UInt8]? {
        guard let bio = joulegate_bio_memory() else { return nil }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { return nil }
        let pending = BIO_ctrl_pending(bio)
        return [UInt8](unsafeUninitializedCapacity: pending) { buffer, count in
            count = 0
            BIO_read_ex(bio, buffer.baseAddress, pending, &count)
        }
    }
}
