import InferenceTypes

/// Reads a chunk in one pass over its bytes. It checks no more than it needs: what is not JSON
/// ends the walk early and is passed on all the same, since the client is its judge. It goes down
/// only into members it knows, so the nesting of a peer's text never becomes recursion.
struct StreamChunkReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    private(set) var chunk = StreamChunk()
    /// Where the value of `choices` began, if nothing before it was worth noting.
    private(set) var choicesStart: Int?

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// As `readRoot`, for a chunk that begins with `opening`: the same bytes up to the value of
    /// `choices` as a chunk before it, and nothing worth noting in them.
    mutating func readRoot(after opening: [UInt8]) {
        offset = opening.count
        choicesStart = offset
        readChoices()
        if skipComma() { readRootMembers() }
    }

    mutating func readRoot() {
        skipSpace()
        guard byte == UInt8(ascii: "{") else { return skipValue() }
        offset += 1
        skipSpace()
        readRootMembers()
    }

    private mutating func readRootMembers() {
        readRemainingMembers { reader, key in
            switch key.count {
            case 7 where reader.equals(key, "choices"):
                if !reader.chunk.saysAnything { reader.choicesStart = reader.offset }
                reader.readChoices()
            case 5 where reader.equals(key, "usage"): reader.readUsage()
            case 5 where reader.equals(key, "error"): reader.readError()
            case 4 where reader.equals(key, "type"): reader.readType()
            case 8 where reader.equals(key, "response"):
                reader.readMembers { reader, key in
                    if reader.equals(key, "usage") {
                        reader.readUsage()
                    } else {
                        reader.skipValue()
                    }
                }
            default: reader.skipValue()
            }
        }
    }

    private mutating func readChoices() {
        guard byte == UInt8(ascii: "[") else { return skipValue() }
        offset += 1
        skipSpace()
        if byte == UInt8(ascii: "]") {
            chunk.choicesAreEmpty = true
            offset += 1
            return
        }
        while byte == UInt8(ascii: "{") {
            readChoice()
            guard skipComma() else { break }
        }
        if byte == UInt8(ascii: "]") { offset += 1 }
    }

    private mutating func readChoice() {
        var index = 0
        var isFinished = false
        readMembers { reader, key in
            switch key.count {
            case 5 where reader.equals(key, "delta"): reader.readDelta()
            case 4 where reader.equals(key, "text"): reader.readText()
            case 5 where reader.equals(key, "index"): index = reader.readCount() ?? 0
            case 13 where reader.equals(key, "finish_reason"):
                if reader.byte == UInt8(ascii: "\"") { isFinished = true }
                reader.skipValue()
            default: reader.skipValue()
            }
        }
        guard isFinished else { return }
        if index < UInt64.bitWidth {
            chunk.finishedChoices |= 1 << UInt64(index)
        } else {
            chunk.finishedBeyond += 1
        }
    }

    private mutating func readDelta() {
        readMembers { reader, key in
            switch key.count {
            case 7 where reader.equals(key, "content"),
                9 where reader.equals(key, "reasoning"),
                10 where reader.equals(key, "tool_calls"),
                17 where reader.equals(key, "reasoning_content"):
                reader.readText()
            default: reader.skipValue()
            }
        }
    }

    /// A string or an array with something in it is content.
    private mutating func readText() {
        let opening = byte
        let start = offset
        skipValue()
        let isString = opening == UInt8(ascii: "\"")
        let isArray = opening == UInt8(ascii: "[")
        if isString || isArray, offset - start > 2 { chunk.hasContent = true }
    }

    private mutating func readError() {
        if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "\"") { chunk.hasError = true }
        skipValue()
    }

    private mutating func readType() {
        guard byte == UInt8(ascii: "\"") else { return skipValue() }
        let start = offset + 1
        skipValue()
        let name = start..<max(start, offset - 1)
        chunk.type = StreamChunk.eventType(of: UnsafeRawBufferPointer(rebasing: bytes[name]))
    }

    private mutating func readUsage() {
        guard byte == UInt8(ascii: "{") else { return skipValue() }
        var usage = Usage()
        readMembers { reader, key in
            switch key.count {
            case 13 where reader.equals(key, "prompt_tokens"),
                12 where reader.equals(key, "input_tokens"):
                usage.inputTokens = reader.readCount()
            case 17 where reader.equals(key, "completion_tokens"),
                13 where reader.equals(key, "output_tokens"):
                usage.outputTokens = reader.readCount()
            case 21 where reader.equals(key, "prompt_tokens_details"),
                20 where reader.equals(key, "input_tokens_details"):
                reader.readMembers { reader, key in
                    if reader.equals(key, "cached_tokens") {
                        usage.cachedInputTokens = reader.readCount()
                    } else {
                        reader.skipValue()
                    }
                }
            default: reader.skipValue()
            }
        }
        chunk.usage = usage
    }

    // MARK: Bytes

    /// The byte at the offset, 0 at the end.
    @inline(__always)
    private var byte: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    private func equals(_ key: Range<Int>, _ text: StaticString) -> Bool {
        guard key.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<key.count where bytes[key.lowerBound + index] != text.utf8Start[index] {
            return false
        }
        return true
    }

    /// Calls `body` at each value of the object here; it has to consume that value. Anything but
    /// an object is skipped.
    @inline(__always)
    private mutating func readMembers(
        _ body: (inout StreamChunkReader, _ key: Range<Int>) -> Void
    ) {
        guard byte == UInt8(ascii: "{") else { return skipValue() }
        offset += 1
        skipSpace()
        readRemainingMembers(body)
    }

    /// The same from the next key on.
    @inline(__always)
    private mutating func readRemainingMembers(
        _ body: (inout StreamChunkReader, _ key: Range<Int>) -> Void
    ) {
        while byte == UInt8(ascii: "\"") {
            let start = offset + 1
            skipString()
            let key = start..<max(start, offset - 1)
            skipSpace()
            guard byte == UInt8(ascii: ":") else { return }
            offset += 1
            skipSpace()
            body(&self, key)
            guard skipComma() else { break }
        }
        if byte == UInt8(ascii: "}") { offset += 1 }
    }

    /// A whole number that is not negative.
    private mutating func readCount() -> Int? {
        let start = offset
        skipValue()
        guard start < offset else { return nil }
        guard let count = JSONScanner(bytes).integer(start..<offset), count >= 0 else {
            return nil
        }
        return count
    }

    private mutating func skipComma() -> Bool {
        skipSpace()
        guard byte == UInt8(ascii: ",") else { return false }
        offset += 1
        skipSpace()
        return true
    }

    @inline(__always)
    private mutating func skipSpace() {
        while offset < bytes.count, JSONValidator.isSpace(bytes[offset]) { offset += 1 }
    }

    private mutating func skipString() {
        offset = min(JSONScanner.endOfString(bytes, from: offset), bytes.count)
    }

    private mutating func skipValue() {
        offset = min(JSONScanner.endOfValue(bytes, from: offset), bytes.count)
    }
}
