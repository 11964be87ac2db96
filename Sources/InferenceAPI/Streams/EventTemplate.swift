/// Values of a text that its reader passed over without reading them, or of which only their being
/// empty or not was noted.
struct EventHoles {
    enum Kind: UInt8 {
        /// A string whose being empty or not says whether the event has content.
        case content
        /// Strings and numbers that nobody reads.
        case string, number
    }

    struct Hole {
        var kind = Kind.string
        var start = 0
        var end = 0
    }

    static let capacity = 8

    private var list = InlineArray<8, Hole>(repeating: Hole())
    private(set) var count = 0
    /// There were more than fit.
    private(set) var isOverfull = false

    subscript(_ index: Int) -> Hole { list[index] }

    /// Strings are noted without their quotes.
    @inline(__always)
    mutating func note(_ kind: Kind, _ start: Int, _ end: Int) {
        guard count < Self.capacity else {
            isOverfull = true
            return
        }
        list[count] = Hole(kind: kind, start: start, end: end)
        count &+= 1
    }

    /// What was passed over so far is to be taken literally.
    mutating func removeAll() {
        count = 0
        isOverfull = false
    }
}

/// What the events of one stream have in common. An event that was read leaves its text with holes
/// in it: the values that nobody reads. One that fits, byte for byte but for what is in the holes,
/// would be read along the same path to the same end, so it is not.
struct EventTemplate {
    /// Which events have content.
    enum Content { case all, none, thoseWithText }

    struct Match {
        /// One past the event.
        var end: Int
        var hasContent: Bool
    }

    /// Bounds what a stream keeps, bytes.
    static let longest = 1_024
    /// After so many events learned in vain nothing is learned any more: the stream's differ in
    /// more than their holes.
    static let patience = 8

    /// What stands before, between and behind the holes.
    private var literals: [UInt8] = []
    private var lengths = InlineArray<9, Int>(repeating: 0)
    private var kinds = InlineArray<8, EventHoles.Kind>(repeating: .string)
    private var holes = 0
    private var content = Content.none
    private var disappointments = 0

    /// Takes up a block that was read to its end, and that was all there was to it. `holes` count
    /// from `start` of it.
    mutating func learn(
        _ block: UnsafeRawBufferPointer, _ holes: EventHoles, from start: Int, _ content: Content
    ) {
        guard disappointments < Self.patience, !holes.isOverfull,
            block.last == UInt8(ascii: "\n")
        else { return }
        disappointments += 1
        literals.removeAll(keepingCapacity: true)
        self.holes = holes.count
        self.content = content
        var offset = 0
        for index in 0..<holes.count {
            let hole = holes[index]
            kinds[index] = hole.kind
            lengths[index] = start + hole.start - offset
            literals.append(contentsOf: block[offset..<start + hole.start])
            offset = start + hole.end
        }
        lengths[holes.count] = block.count - offset
        literals.append(contentsOf: block[offset...])
        if literals.count > Self.longest { literals = [] }
    }

    /// The event that begins at `start`, if it fits.
    @inline(__always)
    mutating func match(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Match? {
        guard !literals.isEmpty, start < bytes.count else { return nil }
        let match = literals.withUnsafeBytes { find($0, in: bytes, from: start) }
        if match != nil { disappointments = 0 }
        return match
    }

    private func find(
        _ literals: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer, from start: Int
    ) -> Match? {
        guard var literal = literals.baseAddress else { return nil }
        var offset = start
        var hasText = false
        var index = 0
        while true {
            let count = lengths[index]
            guard bytes.hasSameBytes(as: literal, at: offset, count: count) else { return nil }
            literal += count
            offset &+= count
            if index == holes {
                let hasContent = content == .thoseWithText ? hasText : content == .all
                return Match(end: offset, hasContent: hasContent)
            }
            let end =
                kinds[index] == .number
                ? Self.endOfNumber(bytes, from: offset) : Self.endOfText(bytes, from: offset)
            guard let end else { return nil }
            if kinds[index] == .content, end > offset { hasText = true }
            offset = end
            index &+= 1
        }
    }

    /// The quote that ends a string, or `nil` where it is not plain to see: a line end, which no
    /// string has in it, may end the event.
    @inline(__always)
    private static func endOfText(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var offset = start
        while true {
            offset = ByteSearch.first(in: bytes, from: offset) { bytes in
                ByteSearch.equal(bytes, UInt8(ascii: "\""))
                    .| ByteSearch.equal(bytes, UInt8(ascii: "\\"))
                    .| (bytes .< SIMD16(repeating: 0x20))
            }
            guard offset < bytes.count else { return nil }
            if bytes[offset] == UInt8(ascii: "\"") { return offset }
            guard bytes[offset] == UInt8(ascii: "\\"), offset + 1 < bytes.count,
                bytes[offset + 1] >= 0x20
            else { return nil }
            offset += 2
        }
    }

    private static func endOfNumber(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var offset = start
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"):
                offset &+= 1
            default: return offset > start ? offset : nil
            }
        }
        return nil
    }
}
