import COpenSSL

/// The SHA-256 digest of some bytes. Comparison takes the same time whatever the bytes, so that
/// a digest of a secret may be compared with a stranger's.
public struct SHA256Digest: Sendable, Hashable {
    /// How many bytes a digest has.
    public static let byteCount = 32

    /// The bytes in order, eight to a word, the first in the most significant place.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// A digest that was worked out before; nil unless there are 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        words = (
            Self.word(bytes[0..<8]), Self.word(bytes[8..<16]),
            Self.word(bytes[16..<24]), Self.word(bytes[24..<32])
        )
    }

    /// A digest written as 64 hexadecimal digits of either case; nil for anything else.
    public init?(hexadecimal: String) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        var high: UInt8?
        for character in hexadecimal.utf8 {
            guard let digit = Self.digit(character), bytes.count < Self.byteCount else {
                return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        guard high == nil else { return nil }
        self.init(bytes: bytes)
    }

    /// The digest of `source`.
    fileprivate init(of source: UnsafeRawBufferPointer) {
        var digest: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &digest) { target in
            joulegate_sha256(
                source.baseAddress, source.count,
                target.bindMemory(to: UInt8.self).baseAddress)
        }
        words = (
            UInt64(bigEndian: digest.0), UInt64(bigEndian: digest.1),
            UInt64(bigEndian: digest.2), UInt64(bigEndian: digest.3)
        )
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(Self.byteCount)
        for word in [words.0, words.1, words.2, words.3] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                result.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        return result
    }

    /// The digest as 64 lower-case hexadecimal digits.
    public var hexadecimal: String {
        var result = ""
        result.reserveCapacity(2 * Self.byteCount)
        for byte in bytes {
            for digit in [byte >> 4, byte & 15] {
                let base = digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10
                result.unicodeScalars.append(Unicode.Scalar(base + digit))
            }
        }
        return result
    }

    /// Whether the two are the same, in a time that does not depend on where they differ.
    public func isEqual(to other: SHA256Digest) -> Bool {
        withUnsafeBytes(of: words) { mine in
            withUnsafeBytes(of: other.words) { theirs in
                CRYPTO_memcmp(mine.baseAddress, theirs.baseAddress, Self.byteCount) == 0
            }
        }
    }

    public static func == (left: SHA256Digest, right: SHA256Digest) -> Bool {
        left.isEqual(to: right)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// SHA-256, as OpenSSL computes it.
public enum SHA256 {
    /// The digest of `bytes`.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> SHA256Digest {
        SHA256Digest(of: bytes)
    }
}
