/// The SHA-256 digest of an API key: what the file holds in the key's place. Compare digests of
/// presented keys in constant time; `==` here serves tests and the search for duplicates.
public struct KeyDigest: Hashable, Sendable {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// From 64 hexadecimal digits, in either case; nil for anything else.
    public init?(hexadecimal text: String) {
        guard text.utf8.count == 64 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        var high: UInt8?
        for unit in text.utf8 {
            guard let digit = Self.value(ofDigit: unit) else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        self.bytes = bytes
    }

    public var hexadecimal: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The first eight digits: enough to recognise a key in a listing, no use to an attacker.
    public var shortened: String { hexadecimal.prefix(8) + "..." }

    private static func value(ofDigit unit: UInt8) -> UInt8? {
        switch unit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): unit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): unit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): unit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
