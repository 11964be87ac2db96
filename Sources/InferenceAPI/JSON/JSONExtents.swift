/// Where the long values of a validated text end, noted while it is validated: walks step over
/// them at once instead of reading every level's bytes again.
///
/// Short values are cheaper to read than to look up, deep ones are seldom walked, and a bound keeps
/// hostile text from turning into memory: what is not noted here is found by reading.
struct JSONExtents: Sendable {
    /// One container or string.
    struct Extent: Sendable {
        var start: Int
        /// While a container is open: the place of the noted one around it, or -1.
        var end: Int
        var depth: UInt8
        /// True for a string with a backslash in it.
        var hasEscapes: Bool
    }

    /// Shorter strings are not noted.
    static let longString = 32
    private static let greatestDepth: UInt8 = 6
    private static let greatestCount = 2_048

    /// In the order of their starts.
    private var extents: [Extent] = []
    /// The innermost noted container that is open, or -1.
    private var innermost = -1

    mutating func reserve() { extents.reserveCapacity(16) }

    @inline(__always)
    mutating func open(at start: Int, depth: Int) {
        guard depth <= Self.greatestDepth, extents.count < Self.greatestCount else { return }
        extents.append(
            Extent(start: start, end: innermost, depth: UInt8(depth), hasEscapes: false))
        innermost = extents.count - 1
    }

    /// `end` is one past the bracket that closes the container at `depth`.
    @inline(__always)
    mutating func close(at end: Int, depth: Int) {
        guard innermost >= 0, Int(extents[innermost].depth) == depth else { return }
        let outer = extents[innermost].end
        extents[innermost].end = end
        innermost = outer
    }

    @inline(__always)
    mutating func note(string start: Int, end: Int, hasEscapes: Bool) {
        guard end - start > Self.longString, extents.count < Self.greatestCount else { return }
        extents.append(Extent(start: start, end: end, depth: 0, hasEscapes: hasEscapes))
    }

    /// The value that begins at `start`, if it was noted.
    func extent(at start: Int) -> Extent? {
        var low = 0
        var high = extents.count
        while low < high {
            let middle = (low &+ high) / 2
            if extents[middle].start < start { low = middle &+ 1 } else { high = middle }
        }
        guard low < extents.count, extents[low].start == start else { return nil }
        return extents[low]
    }
}
