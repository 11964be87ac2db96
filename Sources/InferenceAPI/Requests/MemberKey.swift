/// A member's key with its escapes undone, so that `chat\u005ftemplate` is not another field.
struct MemberKey {
    private let bytes: UnsafeRawBufferPointer
    /// Only for keys written with escapes, which no honest client sends.
    private let undone: [UInt8]?

    @inline(__always)
    init(_ key: JSONDocument.Node, in document: borrowing JSONDocument) {
        bytes = document.contents(of: key)
        undone = document.hasEscapes(key) ? JSONText.unescapedBytes(bytes) : nil
    }

    /// A key that is known to have no escapes.
    @inline(__always)
    init(plain key: JSONDocument.Node, in document: borrowing JSONDocument) {
        bytes = document.contents(of: key)
        undone = nil
    }

    @inline(__always)
    func `is`(_ name: StaticString) -> Bool {
        undone == nil ? bytes.holds(name) : isUndone(name)
    }

    @inline(never)
    private func isUndone(_ name: StaticString) -> Bool {
        withBytes { $0.holds(name) }
    }

    @inline(__always)
    var count: Int { undone?.count ?? bytes.count }

    @inline(__always)
    func ends(with suffix: StaticString) -> Bool {
        let count = suffix.utf8CodeUnitCount
        guard self.count >= count else { return false }
        return withBytes { bytes in
            bytes.hasSameBytes(
                as: UnsafeRawPointer(suffix.utf8Start), at: bytes.count &- count, count: count)
        }
    }

    /// The key's length and first bytes: the same for equal keys, and cheap.
    @inline(__always)
    var outset: UInt64 { withBytes { $0.outset } }

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

    @inline(__always)
    private func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if let undone { return undone.withUnsafeBytes(body) }
        return body(bytes)
    }
}

extension UnsafeRawBufferPointer {
    /// The count's lowest byte and seven bytes of the contents, the first and the last among them.
    @inline(__always)
    fileprivate var outset: UInt64 {
        var word = UInt64(truncatingIfNeeded: count) << 56
        if count >= 4 {
            word ^= UInt64(loadUnaligned(as: UInt32.self)) << 24
            word ^= UInt64(loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
        } else {
            for byte in self { word ^= UInt64(byte) &+ word << 8 }
        }
        return word
    }
}
