import Testing

@testable import Classification

@Suite struct SipHashTests {
    /// Vectors of the authors' reference implementation: key 00 01 ... 0f, inputs empty and 00.
    @Test func itAgreesWithTheReference() {
        let key = SipHash.Key(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
        let empty = SipHash.digest(UnsafeRawBufferPointer(start: nil, count: 0), key: key)
        #expect(empty == SipHash.Digest(low: 0xe6a8_25ba_047f_81a3, high: 0x9302_55c7_1472_f66d))
        let one = [UInt8](repeating: 0, count: 1)
        #expect(
            one.withUnsafeBytes { SipHash.digest($0, key: key) }
                == SipHash.Digest(low: 0x44af_996b_d8c1_87da, high: 0x45fc_229b_1159_7634))
    }

    @Test func keyAndEveryByteMatter() {
        var digests: Set<SipHash.Digest> = []
        var bytes = [UInt8](repeating: 7, count: 33)
        for place in bytes.indices {
            bytes[place] ^= 1
            digests.insert(bytes.withUnsafeBytes { SipHash.digest($0, key: SipHash.Key(1, 2)) })
        }
        digests.insert(bytes.withUnsafeBytes { SipHash.digest($0, key: SipHash.Key(1, 3)) })
        #expect(digests.count == 34)
    }
}
