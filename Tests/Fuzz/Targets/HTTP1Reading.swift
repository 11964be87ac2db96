import WireProtocols

/// What a parser made of a run of HTTP/1.1 bytes, fed as a connection feeds it: what is unread
/// stays at the front.
struct HTTP1Reading<Head: Equatable> {
    struct Field: Equatable {
        var name: [UInt8]
        var value: [UInt8]
    }

    struct Message: Equatable {
        var head: Head
        var fields: [Field]
        var listSize: Int
        var body: [UInt8] = []
        /// Where the body's framing begins in the input, and where the message ends.
        var bodyStart: Int
        var end: Int?
    }

    enum Step {
        case needMore
        case head(consumed: Int, Head)
        case body(Range<Int>, consumed: Int)
        case end(consumed: Int)
    }

    private(set) var messages: [Message] = []
    private(set) var error: HTTP1Error?
    /// Bytes used up.
    private(set) var start = 0
    /// The most bytes that lay unread while the parser wanted more.
    private(set) var mostHeld = 0

    /// Feeds `bytes` in the pieces that `choice` says; `nil`: all at once.
    init(
        _ bytes: UnsafeRawBufferPointer, cut choice: UInt8?,
        _ next: (UnsafeRawBufferPointer, inout FieldBlock) throws(HTTP1Error) -> Step
    ) throws(Finding) {
        var lengths = choice.map(PieceLengths.init)
        var block = FieldBlock()
        var end = 0
        while end < bytes.count, error == nil {
            end += lengths?.next(of: bytes.count - end) ?? bytes.count
            try feed(bytes, to: end, &block, next)
            mostHeld = max(mostHeld, end - start)
        }
    }

    private mutating func feed(
        _ bytes: UnsafeRawBufferPointer, to end: Int, _ block: inout FieldBlock,
        _ next: (UnsafeRawBufferPointer, inout FieldBlock) throws(HTTP1Error) -> Step
    ) throws(Finding) {
        // A step uses a byte or ends a message; two for each byte are plenty.
        for _ in 0...2 * bytes.count + 2 {
            let input = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            let step: Step
            do throws(HTTP1Error) {
                step = try next(input, &block)
            } catch {
                self.error = error
                return
            }
            if try !take(step, input, block) { return }
        }
        throw Finding(description: "it goes on without using bytes up")
    }

    /// False if the parser wants more.
    private mutating func take(
        _ step: Step, _ input: UnsafeRawBufferPointer, _ block: borrowing FieldBlock
    ) throws(Finding) -> Bool {
        let last = messages.count - 1
        let isWithin = last >= 0 && messages[last].end == nil
        switch step {
        case .needMore: return false
        case .head(let consumed, let head):
            try use(consumed, of: input)
            try require(!isWithin, "a head within a message")
            messages.append(
                Message(
                    head: head, fields: Self.fields(of: block), listSize: block.listSize,
                    bodyStart: start))
        case .body(let range, let consumed):
            try require(
                range.lowerBound >= 0 && range.upperBound <= consumed && consumed > 0,
                "a body at \(range) of \(consumed) bytes")
            try use(consumed, of: input)
            guard !range.isEmpty else { break }
            try require(isWithin, "a body without a head")
            messages[last].body.append(contentsOf: input[range])
        case .end(let consumed):
            try use(consumed, of: input)
            try require(isWithin, "an end without a head")
            messages[last].end = start
        }
        return true
    }

    private mutating func use(_ count: Int, of input: UnsafeRawBufferPointer) throws(Finding) {
        try require(count >= 0 && count <= input.count, "used \(count) of \(input.count)")
        start += count
    }

    private static func fields(of block: borrowing FieldBlock) -> [Field] {
        var fields: [Field] = []
        fields.reserveCapacity(block.count)
        for index in 0..<block.count {
            fields.append(
                Field(
                    name: block.withName(at: index) { Array($0) },
                    value: block.withValue(at: index) { Array($0) }))
        }
        return fields
    }

    // MARK: Properties

    /// The same bytes cut otherwise must come to the same messages and the same end.
    func requireSame(as other: Self) throws(Finding) {
        try require(
            (error == nil) == (other.error == nil),
            "whole: \(String(describing: error)), in pieces: \(String(describing: other.error))")
        guard let error, let otherError = other.error else {
            try require(messages == other.messages, "other messages in pieces")
            return try require(
                start == other.start,
                "uses \(start) bytes, in pieces \(other.start)")
        }
        // A head that is both too large and malformed may be refused for either.
        let areSame = error == otherError || [error, otherError].contains(.headTooLarge)
        try require(areSame, "whole: \(error), in pieces: \(otherError)")
        // What came before the fault in the same message may have been handed out or not.
        let (a, b) = (messages, other.messages)
        try require(a.count == b.count, "\(a.count) messages, in pieces \(b.count)")
        for (first, second) in zip(a, b) {
            try require(first.fields == second.fields, "other fields in pieces")
            try require(first.end == second.end, "another end in pieces")
            let isPrefix = first.body.starts(with: second.body)
                || second.body.starts(with: first.body)
            try require(isPrefix, "another body in pieces")
            try require(
                first.end == nil || first.body == second.body, "another whole body in pieces")
        }
    }
}

extension HTTP1Reading.Field {
    var isPseudo: Bool { name.first == UInt8(ascii: ":") }

    func isNamed(_ text: StaticString) -> Bool {
        name.count == text.utf8CodeUnitCount
            && name.elementsEqual(
                UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// A token in lower case, and a value that no reader could take for two lines.
    func requireSound() throws(Finding) {
        for byte in isPseudo ? name[1...] : name[...] {
            let isToken: Bool
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                isToken = true
            default: isToken = "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
            try require(isToken, "a field named \(shown(name))")
        }
        try require(!name.isEmpty, "a field without a name")
        for byte in value where (byte < 0x20 && byte != 0x09) || byte == 0x7F {
            throw Finding(description: "a field's value \(shown(value))")
        }
        for byte in [value.first, value.last] {
            try require(byte != 0x20 && byte != 0x09, "blanks around \(shown(value))")
        }
    }

    /// Fields of one hop, which must not reach the next.
    var isOfOneHop: Bool {
        for name in Self.namesOfOneHop where isNamed(name) { return true }
        return false
    }

    private static var namesOfOneHop: [StaticString] {
        [
            "connection", "keep-alive", "te", "transfer-encoding", "upgrade", "trailer",
            "proxy-connection", "http2-settings",
        ]
    }
}
