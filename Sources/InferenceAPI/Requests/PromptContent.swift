/// Prompt text and media, wherever a task's body has them.
extension RequestReader {
    /// Deeper than any shape that model servers take; what lies below is theirs to refuse.
    private static let greatestNesting = 6
    private static let bytesPerTokenIdentifier = 4

    /// Text, token identifiers, a part, or an array of these.
    mutating func readContent(
        _ value: Node, nesting: Int, _ document: borrowing JSONDocument
    ) {
        switch document.kind(of: value) {
        case .string:
            request.pointee.promptBytes += document.textCount(of: value)
        case .number:
            request.pointee.promptBytes += Self.bytesPerTokenIdentifier
        case .array where nesting < Self.greatestNesting:
            var index = 0
            document.forEachElement(of: value) { value in
                if nesting == 0 { element = index }
                index += 1
                readContent(value, nesting: nesting + 1, document)
                // An item of the responses API, or a prompt of several.
                if nesting == 0 { request.pointee.prompt.boundaries.note(value.range.upperBound) }
                return !hasFailed
            }
        case .object where nesting < Self.greatestNesting:
            readPart(value, nesting: nesting, document)
        default: break
        }
    }

    /// A message, a content part, a document, or an item of the responses API.
    mutating func readPart(
        _ object: Node, nesting: Int, _ document: borrowing JSONDocument
    ) {
        var isMedia = false
        forEachMember(of: object, in: document) { reader, key, value in
            switch key.count {
            case 7 where key.is("content"), 4 where key.is("text"), 6 where key.is("output"):
                reader.readContent(value, nesting: nesting + 1, document)
            case 4 where key.is("type"):
                isMedia = isMedia || Self.isMediaType(value, document)
            case 4... where key.ends(with: "_url") || key.is("input_audio"):
                guard document.kind(of: value) != .null else { return }
                isMedia = true
                reader.readAddress(value, document)
            default: break
            }
        }
        if isMedia { request.pointee.mediaParts += 1 }
    }

    private static func isMediaType(
        _ value: Node, _ document: borrowing JSONDocument
    ) -> Bool {
        guard document.kind(of: value) == .string else { return false }
        let type = document.contents(of: value)
        guard type.contains(UInt8(ascii: "\\")) else { return isMediaType(type) }
        return JSONText.unescapedBytes(type).withUnsafeBytes(isMediaType)
    }

    private static func isMediaType(_ type: UnsafeRawBufferPointer) -> Bool {
        if type.holds("input_text") { return false }
        return mediaTypes.contains { prefix in
            let count = prefix.utf8CodeUnitCount
            return type.count >= count
                && UnsafeRawBufferPointer(rebasing: type.prefix(count)).holds(prefix)
        }
    }

    private static let mediaTypes: [StaticString] = [
        "image", "audio", "video", "file", "input_",
    ]

    /// An address as text or as the `url` of an object; any other shape counts as remote, since
    /// nobody knows what a server makes of it.
    private mutating func readAddress(_ value: Node, _ document: borrowing JSONDocument) {
        switch document.kind(of: value) {
        case .string:
            if !Self.isData(value, document) { request.pointee.hasRemoteMedia = true }
        case .object:
            forEachMember(of: value, in: document) { reader, key, value in
                guard key.is("url") else { return }
                switch document.kind(of: value) {
                case .null: break
                case .string where Self.isData(value, document): break
                default: reader.request.pointee.hasRemoteMedia = true
                }
            }
        default: request.pointee.hasRemoteMedia = true
        }
    }

    /// True for a `data:` URL. Schemes are case-insensitive (RFC 3986, 3.1).
    private static func isData(_ string: Node, _ document: borrowing JSONDocument) -> Bool {
        // Enough for the scheme with every character escaped.
        let head = UnsafeRawBufferPointer(rebasing: document.contents(of: string).prefix(32))
        let scheme = JSONText.unescapedBytes(head).prefix(5)
        return scheme.count == 5 && scheme.last == UInt8(ascii: ":")
            && scheme.dropLast().map { $0 | 0x20 }.elementsEqual("data".utf8)
    }
}
