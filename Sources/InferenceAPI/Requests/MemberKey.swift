/// A member's key with its escapes undone, so that `chat\u005ftemplate` is not another field.
struct MemberKey {
    private let bytes: UnsafeRawBufferPointer
    /// Only for keys written with escapes, which no honest client sends.
    private let undone: [UInt8]?

    init(_ range: Range<Int>, in scanner: JSONScanner) {
        bytes = UnsafeRawBufferPointer(rebasing: scanner.bytes[range])
        undone = bytes.contains(UInt8(ascii: "\\")) ? JSONText.unescapedBytes(bytes) : nil
    }

    @inline(__always)
    func `is`(_ name: StaticString) -> Bool {
        guard let undone else { return bytes.holds(name) }
        return undone.withUnsafeBytes { $0.holds(name) }
    }

    var hasEscapes: Bool { undone != nil }

    func ends(with suffix: StaticString) -> Bool {
        withBytes { bytes in
            let count = suffix.utf8CodeUnitCount
            return bytes.count >= count
                && UnsafeRawBufferPointer(rebasing: bytes.suffix(count)).holds(suffix)
        }
    }

    /// Seeded per process: a peer cannot prepare keys that collide.
    var digest: Int {
        var hasher = Hasher()
        withBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    static func == (a: MemberKey, b: MemberKey) -> Bool {
        a.withBytes { a in b.withBytes { b in a.elementsEqual(b) } }
    }

    /// The key for an error message, cut to what a person would read.
    var excerpt: String {
        withBytes { String(decoding: $0.prefix(64), as: UTF8.self) }
    }

    private func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if let undone { return undone.withUnsafeBytes(body) }
        return body(bytes)
    }
}
