import Testing

@testable import WireProtocols

@Suite struct TLSContextTests {
    private let files: TLSFiles

    init() throws { files = try TLSFiles() }

    private func refusal(_ make: () throws(TLSError) -> TLSContext) -> TLSError? {
        do throws(TLSError) {
            _ = try make()
            return nil
        } catch {
            return error
        }
    }

    @Test func anothersKeyIsRefused() throws {
        let one = try files.make("one")
        let two = try files.make("two")
        let error = refusal { () throws(TLSError) in
            try .server(certificatePath: one.certificate, keyPath: two.key)
        }
        #expect(error == .keyMismatch(certificatePath: one.certificate, keyPath: two.key))
        #expect("\(try #require(error))".contains("does not belong"))
    }

    @Test func missingFilesAreNamed() throws {
        let one = try files.make("one")
        let missing = files.folder.path + "/missing.pem"
        let noCertificate = refusal { () throws(TLSError) in
            try .server(certificatePath: missing, keyPath: one.key)
        }
        #expect(
            noCertificate == .certificate(path: missing, reason: "No such file or directory"))
        let noKey = refusal { () throws(TLSError) in
            try .server(certificatePath: one.certificate, keyPath: missing)
        }
        #expect(noKey == .privateKey(path: missing, reason: "No such file or directory"))
        let noAuthorities = refusal { () throws(TLSError) in
            try .client(caPath: missing, verify: true)
        }
        guard case .authorities(missing, _) = noAuthorities else {
            Issue.record("\(String(describing: noAuthorities))")
            return
        }
    }

    @Test func whatIsNotPEMIsRefused() throws {
        let one = try files.make("one")
        let text = try files.write(Array("not a certificate\n".utf8), "text.pem")
        let noCertificate = refusal { () throws(TLSError) in
            try .server(certificatePath: text, keyPath: one.key)
        }
        guard case .certificate(text, _) = noCertificate else {
            Issue.record("\(String(describing: noCertificate))")
            return
        }
        let noKey = refusal { () throws(TLSError) in
            try .server(certificatePath: one.certificate, keyPath: text)
        }
        guard case .privateKey(text, _) = noKey else {
            Issue.record("\(String(describing: noKey))")
            return
        }
    }

    @Test func anErrorLeavesNothingBehind() throws {
        _ = refusal { () throws(TLSError) in try .client(caPath: "/missing", verify: true) }
        #expect(TLSErrorQueue.take() == "unknown reason")
    }

    @Test func certificatesDiffer() throws {
        let one = try SelfSignedCertificate.make(names: ["a.test"], validSeconds: 60)
        let two = try SelfSignedCertificate.make(names: ["a.test"], validSeconds: 60)
        #expect(one.certificate != two.certificate)
        #expect(one.key != two.key)
        #expect(one.certificate.starts(with: "-----BEGIN CERTIFICATE-----\n".utf8))
        #expect(one.key.starts(with: "-----BEGIN PRIVATE KEY-----\n".utf8))
    }

    @Test(arguments: [[], [""], ["a b"], ["a.test", "é.test"], ["a\0b"]])
    func whatCannotBeNamedIsRefused(names: [String]) {
        #expect(throws: TLSError.self) {
            try SelfSignedCertificate.make(names: names, validSeconds: 60)
        }
    }

    @Test(arguments: [Int.max, Int.min, 101 * 365 * 86400])
    func anAbsurdValidityIsRefused(seconds: Int) {
        #expect(throws: TLSError.self) {
            try SelfSignedCertificate.make(names: ["a.test"], validSeconds: seconds)
        }
    }

    @Test func aCommaStartsNoSecondName() throws {
        let made = try files.make("comma", names: ["a.test,DNS:b.test"])
        let server = try TLSContext.server(
            certificatePath: made.certificate, keyPath: made.key)
        let client = try TLSContext.client(caPath: made.certificate, verify: true)
        let pair = try TLSPair(client: client, server: server, hostname: "b.test")
        pair.settle()
        guard case .peerCertificate = pair.client.error else {
            Issue.record("\(String(describing: pair.client.error))")
            return
        }
    }
}
