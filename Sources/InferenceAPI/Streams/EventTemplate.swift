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
/// same so far, as an identifier's is, is compared like the text around it, in one go; and so is
/// the end of an event with the beginning of the next.
struct EventTemplate {
    /// Which events have content.
    enum Content { case all, none, thoseWithText }

    /// Events that fitted, one behind the other.
    struct Run: Equatable {
        /// One past the last of them.
        var end: Int
        var events = 0
        var contentEvents = 0
    }

    /// A part of the text that has to be the same, and the hole behind it, unless it is the last.
    private struct Piece {
        var start = 0
        var count = 0
        var hole = EventHoles.Kind.string
    }

    /// Bytes of an event that is learned, at most. A stream keeps up to twice as many.
    static let longest = 1_024
    /// When so many events more were learned than passed unread nothing is learned any more: the
    /// stream's differ in more than their holes.
    static let patience = 8

    /// The event that was learned, with what its holes held; behind it its first piece again.
    private var text: [UInt8] = []
    /// Bytes of the event.
    private var count = 0
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
        count = block.count
        guard count <= Self.longest else { return }
        text.append(contentsOf: block)
        self.holes = holes.moved(by: start)
        self.content = content
        isVarying = 0
        divide()
    }

    /// The events from `start` on that fit and have at most `limit` bytes each. A block has to
    /// begin there.
    @inline(__always)
    mutating func match(
        _ bytes: UnsafeRawBufferPointer, from start: Int, limit: Int
    ) -> Run {
        var run = Run(end: start)
        guard !text.isEmpty else { return run }
        repeat {
            passSteady(bytes, limit, &run)
        } while run.end < bytes.count && compare(bytes, limit, &run)
        disappointments = max(0, disappointments &- run.events)
        return run
    }

    /// Passes events as long as the holes that have held nothing else are text.
    private mutating func passSteady(
        _ bytes: UnsafeRawBufferPointer, _ limit: Int, _ run: inout Run
    ) {
        let (last, hasSteadyText, content) = (last, hasSteadyText, content)
        // Where they lie: a look at one piece would copy all.
        withUnsafePointer(to: &pieces) { pieces in
            text.withUnsafeBytes { text in
                guard let text = text.baseAddress else { return }
                let first = UnsafeRawPointer(pieces).assumingMemoryBound(to: Piece.self)
                let final = first + last
                let lead = first.pointee.count
                var offset = run.end
                guard bytes.hasSameBytes(as: text, at: offset, count: lead) else { return }
                while true {
                    offset &+= lead
                    var hasText = hasSteadyText
                    var piece = first
                    while piece != final {
                        let hole = piece.pointee.hole
                        guard let end = Self.end(of: hole, bytes, from: offset) else { return }
                        if hole == .content, end > offset { hasText = true }
                        offset = end
                        piece += 1
                        // The last one is compared below.
                        if piece == final { break }
                        let count = piece.pointee.count
                        guard
                            bytes.hasSameBytes(
                                as: text + piece.pointee.start, at: offset, count: count)
                        else { return }
                        offset &+= count
                    }
                    // With no hole that varies the first piece is the last, and behind us.
                    let tail = last == 0 ? 0 : final.pointee.count
                    let place = text + (final.pointee.start &+ final.pointee.count &- tail)
                    let goesOn = bytes.hasSameBytes(as: place, at: offset, count: tail &+ lead)
                    guard goesOn || bytes.hasSameBytes(as: place, at: offset, count: tail),
                        offset &+ tail &- run.end <= limit
                    else { return }
                    offset &+= tail
                    run.end = offset
                    run.events &+= 1
                    if content == .thoseWithText ? hasText : content == .all {
                        run.contentEvents &+= 1
                    }
                    if !goesOn { return }
                }
            }
        }
    }

    /// Passes one event, taking all holes for what they are, and notes which of them vary.
    @inline(never)
    private mutating func compare(
        _ bytes: UnsafeRawBufferPointer, _ limit: Int, _ run: inout Run
    ) -> Bool {
        var offset = run.end
        var place = 0
        var hasText = false
        var varying = isVarying
        let isAlike = text.withUnsafeBytes { text in
            guard let base = text.baseAddress else { return false }
            for index in 0..<holes.count {
                let hole = holes[index]
                let lead = hole.start - place
                guard bytes.hasSameBytes(as: base + place, at: offset, count: lead),
                    let end = Self.end(of: hole.kind, bytes, from: offset + lead)
                else { return false }
                offset += lead
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
            let tail = count - place
            guard bytes.hasSameBytes(as: base + place, at: offset, count: tail) else {
                return false
            }
            offset += tail
            return true
        }
        guard isAlike, offset - run.end <= limit else { return false }
        run.end = offset
        run.events += 1
        if content == .thoseWithText ? hasText : content == .all { run.contentEvents += 1 }
        if varying != isVarying {
            isVarying = varying
            divide()
        }
        return true
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
        pieces[last] = Piece(start: start, count: count - start)
        text.removeLast(text.count - count)
        let lead = pieces[0].count
        text.append(contentsOf: repeatElement(0, count: lead))
        text.withUnsafeMutableBytes { text in
            guard let base = text.baseAddress else { return }
            (base + count).copyMemory(from: base, byteCount: lead)
        }
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
