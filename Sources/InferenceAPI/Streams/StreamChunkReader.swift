import InferenceTypes

/// Reads a chunk in one pass over its bytes. It checks no more than it needs: what is not JSON
/// ends the walk early and is passed on all the same, since the client is its judge. It goes down
/// only into members it knows, so the nesting of a peer's text never becomes recursion.
struct StreamChunkReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    private(set) var chunk = StreamChunk()
    /// What could be different without any effect on `chunk`, but for its content.
    private(set) var holes = EventHoles()
    /// The chunk has content, whatever the holes hold.
    private(set) var hasOtherContent = false
    /// The bytes are one object, as far as a walk can tell.
    private(set) var isWhole = false

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func readRoot() {
        skipSpace()
        guard byte == UInt8(ascii: "{") else { return skipValue() }
        offset += 1
        skipSpace()
        isWhole = readRootMembers() && offset == bytes.count
    }

    private mutating func readRootMembers() -> Bool {
        readRemainingMembers { reader, key in
            switch key.count {
            case 7 where reader.equals(key, "choices"):
                // What comes before them is the same in all chunks of a stream.
                reader.holes.removeAll()
                // Of choices before these, whose text is no hole any more.
                if reader.chunk.hasContent { reader.hasOtherContent = true }
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
            default: reader.passOver()
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
            default: reader.passOver()
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
            default: reader.passOver()
            }
        }
    }

    /// A string or an array with something in it is content.
    private mutating func readText() {
        let start = offset
        switch byte {
        case UInt8(ascii: "\""):
            skipString()
            holes.note(.content, start + 1, offset - 1)
            if offset - start > 2 { chunk.hasContent = true }
        case UInt8(ascii: "["):
            passOverArray()
            guard offset - start > 2 else { return }
            chunk.hasContent = true
            hasOtherContent = true
        default: skipValue()
        }
    }

    /// A value that nobody reads.
    private mutating func passOver() {
        let start = offset
        let first = byte
        skipValue()
        if first == UInt8(ascii: "\"") {
            holes.note(.string, start + 1, offset - 1)
        } else if first &- UInt8(ascii: "0") <= 9 || first == UInt8(ascii: "-") {
            holes.note(.number, start, offset)
        }
    }

    /// An array of which nobody reads more than its brackets: a tool call comes in pieces of the
    /// text of its arguments.
    private mutating func passOverArray() {
        var depth = 0
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                let start = offset
                skipString()
                if byte != UInt8(ascii: ":") { holes.note(.string, start + 1, offset - 1) }
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
            offset += 1
            if depth == 0 { return }
        }
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

    @inline(__always)
    private func equals(_ key: Range<Int>, _ text: StaticString) -> Bool {
        key.count == text.utf8CodeUnitCount
            && bytes.hasSameBytes(
                as: UnsafeRawPointer(text.utf8Start), at: key.lowerBound, count: key.count)
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

    /// The same from the next key on; false if the object's end did not come.
    @inline(__always)
    @discardableResult
    private mutating func readRemainingMembers(
        _ body: (inout StreamChunkReader, _ key: Range<Int>) -> Void
    ) -> Bool {
        while byte == UInt8(ascii: "\"") {
            let start = offset + 1
            skipString()
            let key = start..<max(start, offset - 1)
            skipSpace()
            guard byte == UInt8(ascii: ":") else { return false }
            offset += 1
            skipSpace()
            body(&self, key)
            guard skipComma() else { break }
        }
        guard byte == UInt8(ascii: "}") else { return false }
        offset += 1
        return true
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
