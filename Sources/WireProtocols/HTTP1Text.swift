/// Small tests on the bytes of HTTP/1.1 heads; letters compare without case.
enum HTTP1Text {
    /// RFC 9110 5.6.2 `tchar`.
    static func isToken(_ byte: UInt8) -> Bool {
        // One bit for each ASCII character: digits and most signs, then letters and the rest.
        let bits: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return byte < 0x80 && (bits >> UInt64(byte & 63)) & 1 == 1
    }

    /// One past the token that a line begins with, and whether that has capitals. Letters and
    /// hyphens, of which most names are, go eight at a time.
    @inline(__always)
    static func endOfName(
        _ line: UnsafeRawBufferPointer, hasCapitals: inout Bool
    ) -> Int {
        var offset = 0
        while line.count &- offset >= 8 {
            let word = UInt64(
                littleEndian: line.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let marks = NameMarks(word)
            guard marks.others != 0 else {
                if marks.capitals != 0 { hasCapitals = true }
                offset &+= 8
                continue
            }
            // Bits below the first other byte.
            if marks.capitals & (marks.others &- 1) & ~marks.others != 0 { hasCapitals = true }
            offset &+= marks.others.trailingZeroBitCount / 8
            break
        }
        while offset < line.count {
            let byte = line[offset]
            guard isToken(byte) else { break }
            if isCapital(byte) { hasCapitals = true }
            offset &+= 1
        }
        return offset
    }

    /// The highest bits of those of eight bytes that are capitals, and of those that are neither
    /// letters nor hyphens.
    private struct NameMarks {
        let capitals: UInt64
        let others: UInt64

        @inline(__always)
        init(_ word: UInt64) {
            let ones: UInt64 = 0x0101_0101_0101_0101
            let high = 0x80 &* ones
            // Seven bits each, so that no sum reaches the next byte.
            let small = (word | 0x20 &* ones) & ~high
            let letters =
                (small &+ (0x80 - 0x61) &* ones) & ~(small &+ (0x80 - 0x7B) &* ones)
                & ~word & high
            let hyphen = word ^ 0x2D &* ones
            let hyphens = ~(((hyphen & ~high) &+ ~high) | hyphen) & high
            others = (letters | hyphens) ^ high
            // The bit that tells small letters, where the mark is.
            capitals = letters & ~(word << 2)
        }
    }

    /// True if a token is `name`, which has small letters, digits and hyphens only; ignoring the
    /// case of letters. All of these have the bit that tells small letters from capitals, and
    /// without it hyphen and digits would be no token.
    @inline(__always)
    static func isName(_ token: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        guard token.count == count, let mine = token.baseAddress else { return false }
        let other = UnsafeRawPointer(name.utf8Start)
        guard count >= 8 else { return equals(token, name) }
        var offset = 0
        while true {
            let place = min(offset, count &- 8)
            let word = mine.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            guard
                word | 0x2020_2020_2020_2020
                    == other.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            else { return false }
            offset &+= 8
            if offset >= count { return true }
        }
    }

    /// The first line feed at or after `start`, else the count; eight bytes at a time.
    static func lineFeed(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var offset = start
        while bytes.count - offset >= 8 {
            let word = UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let zeros = word ^ 0x0A0A_0A0A_0A0A_0A0A
            // A borrow can only raise bits above the first true hit, so the lowest one is right.
            let hits = (zeros &- 0x0101_0101_0101_0101) & ~zeros & 0x8080_8080_8080_8080
            if hits != 0 { return offset &+ hits.trailingZeroBitCount / 8 }
            offset &+= 8
        }
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "\n") { offset &+= 1 }
        return offset
    }

    /// True if `bytes` is `text` (which is in lower case), ignoring the case of letters.
    static func equals(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count
        where HTTP1Text.lowercased(bytes[index]) != text.utf8Start[index] { return false }
        return true
    }

    /// True if `bytes` can only be a host with or without a port. What would end the authority of
    /// a URL, or begin it anew (`@`), is refused: no two readers must see two hosts.
    static func isHost(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // One bit for each ASCII character; none for controls, space, DEL and / \ ? # @ , " < >
        for byte in bytes {
            let bits: UInt64 = byte < 64 ? 0x2FFF_6FF2_0000_0000 : 0x7FFF_FFFF_EFFF_FFFE
            guard byte < 0x80, (bits >> UInt64(byte & 63)) & 1 == 1 else { return false }
        }
        return !bytes.isEmpty
    }

    /// False if `path` has a fragment, or bytes that a URL cannot hold: eight at a time.
    static func isPath(_ path: UnsafeRawBufferPointer) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var offset = 0
        var hits: UInt64 = 0
        while path.count &- offset >= 8 {
            let word = path.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let signs = word ^ (UInt64(UInt8(ascii: "#")) &* ones)
            hits |= word | ((signs &- ones) & ~signs)
            offset &+= 8
        }
        while offset < path.count {
            let byte = path[offset]
            if byte >= 0x80 || byte == UInt8(ascii: "#") { return false }
            offset &+= 1
        }
        return hits & (0x80 &* ones) == 0
    }

    /// False if `bytes` have no control characters at all, not even a tab: eight bytes at a time.
    @inline(__always)
    static func mayHaveControls(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        var hits: UInt64 = 0
        while bytes.count &- offset >= 8 {
            hits |= controls(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset &+= 8
        }
        if offset < bytes.count {
            if bytes.count >= 8 {
                hits |= controls(
                    bytes.loadUnaligned(fromByteOffset: bytes.count &- 8, as: UInt64.self))
            } else {
                while offset < bytes.count {
                    let byte = bytes[offset]
                    if byte < 0x20 || byte == 0x7F { return true }
                    offset &+= 1
                }
            }
        }
        return hits != 0
    }

    /// Not zero if one of eight bytes is a control character.
    @inline(__always)
    private static func controls(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let delete = word ^ (0x7F &* ones)
        let hits = ((word &- (0x20 &* ones)) & ~word) | ((delete &- ones) & ~delete)
        return hits & (0x80 &* ones)
    }

    /// True if `bytes` begin with exactly `text`.
    @inline(__always)
    static func begins(_ bytes: UnsafeRawBufferPointer, with text: StaticString) -> Bool {
        guard bytes.count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount
        where bytes[index] != text.utf8Start[index] { return false }
        return true
    }

    @inline(__always)
    static func isCapital(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "A") < 26 }

    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    /// Without spaces and tabs at both ends.
    static func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var start = 0
        var end = bytes.count
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }

    /// True if a comma-separated list holds `token`.
    static func hasToken(_ list: UnsafeRawBufferPointer, _ token: StaticString) -> Bool {
        var start = 0
        while start <= list.count {
            var end = start
            while end < list.count, list[end] != UInt8(ascii: ",") { end += 1 }
            let entry = trimmed(UnsafeRawBufferPointer(rebasing: list[start..<end]))
            if equals(entry, token) { return true }
            start = end + 1
        }
        return false
    }

    /// Digits only, at most 18 of them; `nil` for signs, lists, spaces and the empty value.
    static func decimal(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
        var value = 0
        for byte in bytes {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
