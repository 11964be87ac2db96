/// A text that has been validated, to be walked in few steps. There is one of each, which is lent
/// to whoever walks it.
struct JSONDocument: ~Copyable {
    /// A key or a value of the text.
    struct Node {
        let range: Range<Int>
        /// Its place in the outline, or -1: it is found by reading.
        fileprivate let mark: Int

        /// The same node, to be walked by reading.
        var unnoted: Node { Node(range: range, mark: -1) }
    }

    let scanner: JSONScanner
    let root: Node
    private let outline: JSONOutline

    init(
        validating bytes: UnsafeRawBufferPointer, depth limit: Int
    ) throws(JSONScanner.Failure) {
        scanner = JSONScanner(bytes)
        var validator = JSONValidator(
            bytes, depth: min(limit, JSONScanner.greatestDepth),
            makesOutline: bytes.count < UInt32.max)
        let value = try validator.run()
        outline = validator.finish()
        root = Node(range: value, mark: outline.isFull || outline.count == 0 ? -1 : 0)
    }

    /// False: there were too many values, and walks read the text again.
    var hasOutline: Bool { root.mark >= 0 }

    @inline(__always)
    func kind(of node: Node) -> JSONScanner.Kind { scanner.kind(at: node.range.lowerBound) }

    /// The bytes between a string's quotes.
    @inline(__always)
    func contents(of string: Node) -> UnsafeRawBufferPointer {
        let (start, end) = (string.range.lowerBound &+ 1, string.range.upperBound &- 1)
        guard let base = scanner.bytes.baseAddress, start > 0, end >= start,
            end < scanner.bytes.count
        else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: base + start, count: end &- start)
    }

    /// UTF-8 bytes of a string's text, escapes undone.
    @inline(__always)
    func textCount(of string: Node) -> Int {
        if string.mark >= 0 { return Int(outline[string.mark].detail) }
        return JSONText.unescapedCount(contents(of: string))
    }

    @inline(__always)
    func hasEscapes(_ string: Node) -> Bool {
        if string.mark >= 0 {
            return Int(outline[string.mark].detail) != string.range.count - 2
        }
        return contents(of: string).contains(UInt8(ascii: "\\"))
    }

    /// Walks an object's members until `body` returns false. Keys have their quotes.
    @inline(__always)
    func forEachMember(of object: Node, _ body: (_ key: Node, _ value: Node) -> Bool) {
        guard let places = places(in: object) else {
            scanner.forEachMember(of: object.range) { key, value in
                let quoted = key.lowerBound - 1..<key.upperBound + 1
                return body(Node(range: quoted, mark: -1), Node(range: value, mark: -1))
            }
            return
        }
        var place = places.lowerBound
        while place &+ 1 < places.upperBound {
            if !body(node(place), node(place &+ 1)) { return }
            place = Int(outline[place &+ 1].next)
        }
    }

    /// Walks an array's elements until `body` returns false.
    @inline(__always)
    func forEachElement(of array: Node, _ body: (Node) -> Bool) {
        guard let places = places(in: array) else {
            scanner.forEachElement(of: array.range) { body(Node(range: $0, mark: -1)) }
            return
        }
        var place = places.lowerBound
        while place < places.upperBound {
            if !body(node(place)) { return }
            place = Int(outline[place].next)
        }
    }

    /// Where in the outline the contents of a container lie, if they do.
    @inline(__always)
    private func places(in container: Node) -> Range<Int>? {
        guard container.mark >= 0 else { return nil }
        let mark = outline[container.mark]
        guard mark.detail == 0 else { return nil }
        return container.mark + 1..<Int(mark.next)
    }

    @inline(__always)
    private func node(_ place: Int) -> Node {
        let mark = outline[place]
        return Node(range: Int(mark.start)..<Int(mark.end), mark: place)
    }
}
