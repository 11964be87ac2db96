import Configuration
import InferenceTypes
import Testing
import WireProtocols

@testable import Gateway

@Suite struct KeyRingTests {
    static func digest(of key: String) -> SHA256Digest {
        Array(key.utf8).withUnsafeBytes { SHA256.hash($0) }
    }

    static func keyDigest(of key: String) throws -> KeyDigest {
        try #require(KeyDigest(hexadecimal: digest(of: key).hexadecimal))
    }

    private func head(_ value: String) -> FieldBlock {
        var head = FieldBlock()
        head.append("authorization", value)
        return head
    }

    private func ring(_ keys: [[String]]) throws -> KeyRing {
        KeyRing(
            tenants: try keys.enumerated().map { index, keys in
                var tenant = GatewayConfiguration.Tenant(name: "tenant-\(index)")
                tenant.apiKeys = try keys.map(Self.keyDigest)
                return tenant
            })
    }

    @Test(arguments: [
        "Bearer secret", "bearer secret", "BEARER secret", "bEaReR secret", "Bearer   secret",
        "secret", "  secret",
    ])
    func aKeyIsReadFromTheField(value: String) {
        let found = KeyRing.digest(in: head(value), field: "authorization")
        #expect(found == Self.digest(of: "secret"))
    }

    @Test(arguments: ["", " ", "Bearer ", "Bearer    "])
    func nothingIsNoKey(value: String) {
        #expect(KeyRing.digest(in: head(value), field: "authorization") == nil)
    }

    @Test func aMissingFieldIsNoKey() {
        #expect(KeyRing.digest(in: FieldBlock(), field: "authorization") == nil)
    }

    @Test func onlyTheSchemesNameIsCutOff() {
        for value in ["Beares secret", "Bearer\tsecret", "Bearersecret", "Basic secret"] {
            let found = KeyRing.digest(in: head(value), field: "authorization")
            #expect(found == Self.digest(of: value))
        }
    }

    @Test func everyOneOfManyKeysIsFound() throws {
        let keys = (0..<200).map { tenant in (0..<3).map { "key-\(tenant)-\($0)" } }
        let ring = try ring(keys)
        for (index, own) in keys.enumerated() {
            for key in own {
                #expect(ring.tenant(of: Self.digest(of: key)) == TenantID(index))
            }
        }
        #expect(ring.tenant(of: Self.digest(of: "key-200-0")) == nil)
        #expect(try self.ring([]).tenant(of: Self.digest(of: "x")) == nil)
    }

    /// The search goes by the first eight bytes; the other 24 decide all the same.
    @Test func keysThatBeginAlikeAreToldApart() throws {
        let bytes = Self.digest(of: "secret").bytes
        var tenants: [GatewayConfiguration.Tenant] = []
        for index in 0..<24 {
            var twin = bytes
            twin[8 + index] ^= 1
            var tenant = GatewayConfiguration.Tenant(name: "\(index)")
            let digest = try #require(SHA256Digest(bytes: twin))
            tenant.apiKeys = [try #require(KeyDigest(hexadecimal: digest.hexadecimal))]
            tenants.append(tenant)
        }
        let ring = KeyRing(tenants: tenants)
        #expect(ring.tenant(of: Self.digest(of: "secret")) == nil)
        for index in 0..<24 {
            var twin = bytes
            twin[8 + index] ^= 1
            let digest = try #require(SHA256Digest(bytes: twin))
            #expect(ring.tenant(of: digest) == TenantID(index))
        }
    }
}
