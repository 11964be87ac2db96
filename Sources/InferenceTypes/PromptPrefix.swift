/// What a prompt begins with, as hashes of its leading bytes: two requests whose prompts begin
/// alike share the first marks. No text can be had back from it, and who hashes salts it by tenant,
/// so that equal prompts of two tenants share nothing.
///
/// A plain value of fixed size: to carry it along costs no allocation.
public struct PromptPrefix: Hashable, Sendable {
    /// The prompt's first `bytes` bytes hash to `hash`.
    public struct Mark: Hashable, Sendable {
        public var hash: UInt64
        public var bytes: Int

        public init(hash: UInt64, bytes: Int) {
            self.hash = hash
            self.bytes = bytes
        }
    }

    /// Most marks; further ones are left out.
    public static let greatestCount = 12
    /// A beginning shorter than this is not worth a mark.
    public static let leastBytes = 256

    private var hashes = InlineArray<12, UInt64>(repeating: 0)
    private var ends = InlineArray<12, UInt32>(repeating: 0)
    private var marks: UInt32 = 0
    private var whole: UInt32 = 0

    /// No marks: nothing is known of what the prompt begins with.
    public init() {}

    /// - Parameter bytes: of the whole prompt, in the measure in which marks count.
    public init(bytes: Int) { whole = UInt32(clamping: bytes) }

    public var count: Int { Int(marks) }
    public var isEmpty: Bool { marks == 0 }
    /// The whole prompt, in the measure in which marks count.
    public var bytes: Int { Int(whole) }

    /// Ascending by bytes.
    public subscript(index: Int) -> Mark {
        Mark(hash: hashes[index], bytes: Int(ends[index]))
    }

    /// Adds a mark behind the others; one that is no longer than they are, too short or one too
    /// many is left out.
    public mutating func append(_ mark: Mark) {
        guard count < Self.greatestCount, mark.bytes >= Self.leastBytes,
            mark.bytes <= UInt32.max, isEmpty || mark.bytes > Int(ends[count - 1])
        else { return }
        hashes[count] = mark.hash
        ends[count] = UInt32(clamping: mark.bytes)
        marks += 1
    }

    public static func == (a: PromptPrefix, b: PromptPrefix) -> Bool {
        a.whole == b.whole && a.marks == b.marks && (0..<a.count).allSatisfy { a[$0] == b[$0] }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(whole)
        for index in 0..<count { hasher.combine(self[index]) }
    }
}

extension UInt64 {
    /// Multiplies to 128 bits and folds them: every bit of both goes into every bit of the result.
    @inlinable
    public func folded(with other: UInt64) -> UInt64 {
        let product = multipliedFullWidth(by: other)
        return product.high ^ product.low
    }
}
