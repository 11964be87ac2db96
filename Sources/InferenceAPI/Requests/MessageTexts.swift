/// The texts that one request wants classified: places in its body, as JSON strings without their
/// quotes, so that they go into a batch's body as they came.
public struct MessageTexts: Sendable {
    /// How the request gave its texts.
    public enum Shape: Sendable {
        case single, list
    }

    private struct Span: Sendable {
        var range: Range<Int>
        /// In `composed`, not in the body.
        var isComposed = false
    }

    public private(set) var shape = Shape.single
    private var spans: [Span] = []
    /// Texts put together out of several, as JSON strings without their quotes.
    private var composed: [UInt8] = []

    public init() {}

    public var count: Int { spans.count }

    public mutating func removeAll() {
        if spans.capacity > 1_024 { spans = [] } else { spans.removeAll(keepingCapacity: true) }
        composed.removeAll(keepingCapacity: true)
    }

    /// Bytes of one text as it is written in JSON.
    public func byteCount(of index: Int) -> Int { spans[index].range.count }

    /// One text, as JSON has it between the quotes. `body` must be the one that was read.
    public func withText<R>(
        _ index: Int, of body: UnsafeRawBufferPointer, _ use: (UnsafeRawBufferPointer) -> R
    ) -> R {
        let span = spans[index]
        if span.isComposed {
            return composed.withUnsafeBytes {
                use(UnsafeRawBufferPointer(rebasing: $0[span.range]))
            }
        }
        return use(UnsafeRawBufferPointer(rebasing: body[span.range]))
    }

    /// Takes the texts out of a body that was parsed. False if they are none that can share a
    /// batch with others: token identifiers, images, an unknown shape.
    ///
    /// - Parameter mayList: an `input` array holds texts; else it holds messages, as in decisions.
    public mutating func read(
        _ layout: ClassificationLayout, body: UnsafeRawBufferPointer, mayList: Bool = true
    ) -> Bool {
        removeAll()
        shape = .single
        let scanner = JSONScanner(body)
        switch (layout.input, layout.messages) {
        case (let input?, nil):
            switch scanner.kind(at: input.lowerBound) {
            case .string:
                spans.append(Span(range: Self.contents(of: input)))
                return true
            case .array: return mayList ? readList(input, scanner) : compose(input, scanner)
            case .object, .number, .true, .false, .null: return false
            }
        case (nil, let messages?): return compose(messages, scanner)
        case (nil, nil), (.some, .some): return false
        }
    }

    private static func contents(of string: Range<Int>) -> Range<Int> {
        string.lowerBound + 1..<max(string.lowerBound + 1, string.upperBound - 1)
    }

    private mutating func readList(_ array: Range<Int>, _ scanner: JSONScanner) -> Bool {
        shape = .list
        var areTexts = true
        scanner.forEachElement(of: array) { element in
            areTexts = scanner.kind(at: element.lowerBound) == .string
            if areTexts { spans.append(Span(range: Self.contents(of: element))) }
            return areTexts
        }
        return areTexts && !spans.isEmpty
    }

    /// The texts of all messages, a line each, as one text.
    private mutating func compose(_ messages: Range<Int>, _ scanner: JSONScanner) -> Bool {
        guard scanner.kind(at: messages.lowerBound) == .array else { return false }
        var areTexts = true
        var text: [UInt8] = []
        scanner.forEachElement(of: messages) { message in
            guard scanner.kind(at: message.lowerBound) == .object,
                let content = scanner.member("content", of: message)
            else {
                areTexts = false
                return false
            }
            areTexts = Self.append(content, scanner, to: &text)
            return areTexts
        }
        guard areTexts, !text.isEmpty else { return false }
        composed = text
        spans.append(Span(range: 0..<text.count, isComposed: true))
        return true
    }

    private static func append(
        _ content: Range<Int>, _ scanner: JSONScanner, to text: inout [UInt8]
    ) -> Bool {
        switch scanner.kind(at: content.lowerBound) {
        case .string:
            appendLine(content, scanner, to: &text)
            return true
        case .array:
            var areTexts = true
            scanner.forEachElement(of: content) { part in
                guard scanner.kind(at: part.lowerBound) == .object,
                    let line = scanner.member("text", of: part),
                    scanner.kind(at: line.lowerBound) == .string
                else {
                    areTexts = false
                    return false
                }
                appendLine(line, scanner, to: &text)
                return true
            }
            return areTexts
        case .object, .number, .true, .false, .null: return false
        }
    }

    private static func appendLine(
        _ string: Range<Int>, _ scanner: JSONScanner, to text: inout [UInt8]
    ) {
        if !text.isEmpty { text.append(contentsOf: "\\n".utf8) }
        text.append(contentsOf: scanner.bytes[contents(of: string)])
    }
}
