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

    /// The same in a text that has `count` bytes before this one.
    func moved(by count: Int) -> EventHoles {
        var moved = self
        for index in 0..<self.count {
            moved.list[index].start += count
            moved.list[index].end += count
        }
        return moved
    }

    /// What was passed over so far is to be taken literally.
    mutating func removeAll() {
        count = 0
        isOverfull = false
    }
}

/// What the events of one stream have in common. An event that was read leaves its text with holes
/// in it: the values that nobody reads. One that fits, byte for byte but for what is in the holes,
/// would be read along the same path to the same end, so it is not. A hole whose value has been the
/// same so far, as an identifier's is, is compared like the text around it, in one go.
struct EventTemplate {
    /// Which events have content.
    enum Content { case all, none, thoseWithText }

    struct Match {
        /// One past the event.
        var end: Int
        var hasContent: Bool
    }

    /// A part of the text that has to be the same, and the hole behind it, unless it is the last.
    private struct Piece {
        var start = 0
        var count = 0
        var hole = EventHoles.Kind.string
    }

    /// Bounds what a stream keeps, bytes.
    static let longest = 2_048
    /// After so many events learned in vain nothing is learned any more: the stream's differ in
    /// more than their holes.
    static let patience = 8

    /// The event that was learned, with what its holes held.
    private var text: [UInt8] = []
    private var holes = EventHoles()
    /// By hole: its values have not all been the same.
    private var isVarying: UInt8 = 0
    /// The text between the holes that vary.
    private var pieces = InlineArray<9, Piece>(repeating: Piece())
    private var last = 0
    /// There is text where it has been the same so far.
    private var hasSteadyText = false
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
        text.removeAll(keepingCapacity: true)
        guard block.count <= Self.longest else { return }
        text.append(contentsOf: block)
        self.holes = holes.moved(by: start)
        self.content = content
        isVarying = 0
        divide()
    }

    /// The event that begins at `start`, if it fits.
    @inline(__always)
    mutating func match(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Match? {
        guard !text.isEmpty, start < bytes.count else { return nil }
        if let match = fit(bytes, from: start) {
            disappointments = 0
            return match
        }
        return compare(bytes, from: start)
    }

    /// Takes the holes for text that have held nothing else.
    private mutating func fit(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Match? {
        var offset = start
        var hasText = hasSteadyText
        let last = last
        // Where they lie: a look at one piece would copy all.
        let isAlike = withUnsafePointer(to: &pieces) { pieces in
            text.withUnsafeBytes { text in
                guard let text = text.baseAddress else { return false }
                var piece = UnsafeRawPointer(pieces).assumingMemoryBound(to: Piece.self)
                let final = piece + last
                while true {
                    let count = piece.pointee.count
                    guard
                        bytes.hasSameBytes(
                            as: text + piece.pointee.start, at: offset, count: count)
                    else { return false }
                    offset &+= count
                    if piece == final { return true }
                    let hole = piece.pointee.hole
                    guard let end = Self.end(of: hole, bytes, from: offset) else {
                        return false
                    }
                    if hole == .content, end > offset { hasText = true }
                    offset = end
                    piece += 1
                }
            }
        }
        return isAlike ? Match(end: offset, hasContent: hasContent(hasText)) : nil
    }

    /// Takes all holes for what they are, and notes which of them vary.
    @inline(never)
    private mutating func compare(
        _ bytes: UnsafeRawBufferPointer, from start: Int
    ) -> Match? {
        var offset = start
        var place = 0
        var hasText = false
        var varying = isVarying
        let isAlike = text.withUnsafeBytes { text in
            guard let base = text.baseAddress else { return false }
            for index in 0..<holes.count {
                let hole = holes[index]
                let count = hole.start - place
                guard bytes.hasSameBytes(as: base + place, at: offset, count: count),
                    let end = Self.end(of: hole.kind, bytes, from: offset + count)
                else { return false }
                offset += count
                if hole.kind == .content, end > offset { hasText = true }
                let width = hole.end - hole.start
                if end - offset != width
                    || !bytes.hasSameBytes(as: base + hole.start, at: offset, count: width)
                {
                    varying |= 1 << UInt8(index)
                }
                offset = end
                place = hole.end
            }
            let count = text.count - place
            defer { offset += count }
            return bytes.hasSameBytes(as: base + place, at: offset, count: count)
        }
        guard isAlike else { return nil }
        disappointments = 0
        if varying != isVarying {
            isVarying = varying
            divide()
        }
        return Match(end: offset, hasContent: hasContent(hasText))
    }

    /// Makes the pieces anew.
    private mutating func divide() {
        last = 0
        hasSteadyText = false
        var start = 0
        for index in 0..<holes.count {
            let hole = holes[index]
            guard isVarying & (1 << UInt8(index)) != 0 else {
                if hole.kind == .content, hole.end > hole.start { hasSteadyText = true }
                continue
            }
            pieces[last] = Piece(start: start, count: hole.start - start, hole: hole.kind)
            start = hole.end
            last += 1
        }
        pieces[last] = Piece(start: start, count: text.count - start)
    }

    @inline(__always)
    private func hasContent(_ hasText: Bool) -> Bool {
        content == .thoseWithText ? hasText : content == .all
    }

    /// Where a hole ends that begins at `start`.
    @inline(__always)
    private static func end(
        of hole: EventHoles.Kind, _ bytes: UnsafeRawBufferPointer, from start: Int
    ) -> Int? {
        hole == .number ? endOfNumber(bytes, from: start) : endOfText(bytes, from: start)
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
