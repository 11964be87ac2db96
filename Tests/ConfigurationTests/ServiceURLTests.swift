import Testing

@testable import Configuration

@Suite struct ServiceURLTests {
    @Test(arguments: [
        ("http://h", ServiceURL(scheme: .http, host: "h", port: 80)),
        ("https://h", ServiceURL(scheme: .https, host: "h", port: 443)),
        ("http://10.0.0.1:8000/", ServiceURL(scheme: .http, host: "10.0.0.1", port: 8000)),
        ("http://h:1/m?x=1", ServiceURL(scheme: .http, host: "h", port: 1, path: "/m?x=1")),
        ("http://h?x", ServiceURL(scheme: .http, host: "h", port: 80, path: "/?x")),
        ("http://[::1]:9/a", ServiceURL(scheme: .http, host: "::1", port: 9, path: "/a")),
    ])
    func anAddressIsTakenApart(text: String, expected: ServiceURL) throws {
        let url = try ServiceURL(text)
        #expect(url == expected)
        #expect(try ServiceURL(url.description) == expected)
    }

    @Test(arguments: [
        "", "h:80", "ftp://h", "HTTP://h", "http://", "http://:80", "http://h:", "http://h:0",
        "http://h:65536", "http://h:+1", "http://h:8a", "http://u@h", "http://h/#f",
        "http://h h", "http://[::1", "http://[::1]x", "http://[h]", "http://h\u{7f}",
        "http://\u{e9}", "http://h/\r\n", "http://a:b:c",
    ])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(throws: ServiceURL.Malformed.self) { try ServiceURL(text) }
    }

    @Test func digestsAreSixtyFourDigits() {
        let text = String(repeating: "aB", count: 32)
        #expect(KeyDigest(hexadecimal: text)?.bytes == [UInt8](repeating: 0xAB, count: 32))
        #expect(KeyDigest(hexadecimal: text)?.hexadecimal == text.lowercased())
        #expect(KeyDigest(hexadecimal: String(text.dropLast())) == nil)
        #expect(KeyDigest(hexadecimal: String(repeating: "g", count: 64)) == nil)
        #expect(KeyDigest(hexadecimal: String(repeating: "\u{e9}", count: 32)) == nil)
    }

    @Test func distanceCountsEdits() {
        #expect(EditDistance.between("", "abc") == 3)
        #expect(EditDistance.between("policy", "polcy") == 1)
        #expect(EditDistance.between("policy", "poilcy") == 1)
        #expect(EditDistance.between("kitten", "sitting") == 3)
        #expect(EditDistance.nearest(to: "zzzzz", among: ["policy"]) == nil)
    }
}
