import Testing
import WireProtocols

@Suite struct DigestTests {
    private func hash(_ text: String) -> SHA256Digest {
        Array(text.utf8).withUnsafeBytes { SHA256.hash($0) }
    }

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func publishedVectors(_ text: String, _ expected: String) {
        #expect(hash(text).hexadecimal == expected)
    }

    @Test func nothingAtAllHashesLikeTheEmptyString() {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        #expect(SHA256.hash(none) == hash(""))
    }

    @Test func bytesAndHexadecimalComeBack() throws {
        let digest = hash("joule")
        #expect(digest.bytes.count == 32)
        #expect(SHA256Digest(bytes: digest.bytes) == digest)
        #expect(SHA256Digest(hexadecimal: digest.hexadecimal) == digest)
        #expect(SHA256Digest(hexadecimal: digest.hexadecimal.uppercased()) == digest)
    }

    @Test func onlyThirtyTwoBytesAreADigest() {
        #expect(SHA256Digest(bytes: []) == nil)
        #expect(SHA256Digest(bytes: [UInt8](repeating: 0, count: 31)) == nil)
        #expect(SHA256Digest(bytes: [UInt8](repeating: 0, count: 33)) == nil)
    }

    @Test func onlySixtyFourDigitsAreADigest() {
        let digits = hash("").hexadecimal
        #expect(SHA256Digest(hexadecimal: "") == nil)
        #expect(SHA256Digest(hexadecimal: String(digits.dropLast())) == nil)
        #expect(SHA256Digest(hexadecimal: String(digits.dropLast(2))) == nil)
        #expect(SHA256Digest(hexadecimal: digits + "0") == nil)
        #expect(SHA256Digest(hexadecimal: digits + "00") == nil)
        #expect(SHA256Digest(hexadecimal: "g" + digits.dropFirst()) == nil)
        #expect(SHA256Digest(hexadecimal: " " + digits.dropFirst()) == nil)
        #expect(SHA256Digest(hexadecimal: "é" + digits.dropFirst(2)) == nil)
    }

    @Test func everyBitCounts() throws {
        let digest = hash("abc")
        for index in 0..<256 {
            var bytes = digest.bytes
            bytes[index / 8] ^= 1 << UInt8(index % 8)
            let other = try #require(SHA256Digest(bytes: bytes))
            #expect(!digest.isEqual(to: other))
            #expect(digest != other)
        }
        #expect(digest.isEqual(to: hash("abc")))
        #expect(Set([digest, hash("abc"), hash("abd")]).count == 2)
    }
}
