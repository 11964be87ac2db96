/// Text of several bytes a character, sixteen bytes at a time. Each byte is compared with the three
/// before it, which are simply loaded again: no byte waits for the result of another.
extension ByteSearch {
    /// Passes over plain text of any alphabet, from the beginning of a character at `start` on.
    /// What lies before the result is valid UTF-8 without quotes, backslashes and controls, and the
    /// result is the beginning of a character or one of these. It may fall short of the first of
    /// these, but never by more than what is left once sixteen bytes are not, or what is wrong.
    static func skipCharacters(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = bytes.baseAddress, start >= 3 else { return start }
        var offset = start
        while bytes.count &- offset >= width {
            let place = base + offset
            let vector = place.loadUnaligned(as: Vector.self)
            let stops = stops(vector)
            let flaws = flaws(
                vector, after: (place - 1).loadUnaligned(as: Vector.self),
                (place - 2).loadUnaligned(as: Vector.self),
                (place - 3).loadUnaligned(as: Vector.self))
            if Hits(stops .| flaws).areAny {
                let stops = Hits(stops)
                let flaws = Hits(flaws)
                guard stops.areAny, !flaws.areAny || stops.first < flaws.first else { break }
                return offset &+ stops.first
            }
            offset &+= width
            // ASCII again, of which `first` is faster.
            if !Hits(masked(vector, 0x80, are: 0x80)).areAny { return offset }
        }
        return offset == start ? start : beginning(of: offset, bytes)
    }

    /// Where the bits of `mask` are `bits`. Of all comparisons this one becomes vector code.
    @inline(__always)
    private static func masked(_ vector: Vector, _ mask: UInt8, are bits: UInt8) -> Mask {
        equal(vector & Vector(repeating: mask), bits)
    }

    /// Quotes, backslashes and controls.
    @inline(__always)
    private static func stops(_ vector: Vector) -> Mask {
        equal(vector, UInt8(ascii: "\"")) .| equal(vector, UInt8(ascii: "\\"))
            .| masked(vector, 0xE0, are: 0)
    }

    /// Where these bytes are not what Unicode 15, table 3-7, has after those before them.
    @inline(__always)
    private static func flaws(
        _ vector: Vector, after one: Vector, _ two: Vector, _ three: Vector
    ) -> Mask {
        let isDue =
            masked(one, 0xC0, are: 0xC0) .| masked(two, 0xE0, are: 0xE0)
            .| masked(three, 0xF0, are: 0xF0)
        let isContinuation = masked(vector, 0xC0, are: 0x80)
        // Too long forms, surrogates, and what is beyond U+10FFFF.
        let isBelow90 = masked(vector, 0xF0, are: 0x80)
        let isF4 = equal(one, 0xF4)
        let isNarrowed =
            (equal(one, 0xE0) .& masked(vector, 0xE0, are: 0x80))
            .| (equal(one, 0xED) .& masked(vector, 0xE0, are: 0xA0))
            .| (equal(one, 0xF0) .& isBelow90) .| (isF4 .^ (isF4 .& isBelow90))
        let isNever =
            masked(vector, 0xFE, are: 0xC0) .| equal(vector, 0xF5)
            .| masked(vector, 0xFE, are: 0xF6) .| masked(vector, 0xF8, are: 0xF8)
        return (isDue .^ isContinuation) .| isNarrowed .| isNever
    }

    /// The beginning of the character that the byte before `offset` belongs to, or `offset` if that
    /// ends one for certain. The bytes before `offset` are the beginning of valid text.
    private static func beginning(of offset: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
        for back in 1...3 where bytes[offset - back] >= 0xC0 { return offset - back }
        return offset
    }
}
