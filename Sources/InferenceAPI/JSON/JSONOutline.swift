/// Where the keys and values of a text lie, noted while it is validated: whoever walks the text
/// steps from mark to mark and reads no byte again.
///
/// Deep values are seldom walked, and a bound keeps hostile text from turning into memory: what is
/// not noted here is found by reading.
struct JSONOutline: Sendable {
    /// One key or value. In the order of their beginnings, so that what lies in a container follows
    /// it.
    struct Mark: Sendable {
        var start: UInt32
        var end: UInt32
        /// The place of the mark behind this one and all that lies in it. While a container is
        /// open: the place of the one around it.
        var next: UInt32
        /// Of a string: the bytes of its text, escapes undone. Of a container: 1 if what lies in it
        /// is too deep to be noted.
        var detail: UInt32
    }

    /// Containers around a value that is noted, at most.
    static let greatestDepth = 6
    /// Room for the most messages that a request may have.
    static let greatestCount = 12 << 10

    private(set) var marks: [Mark] = []
    /// None are left where there were too many.
    private var mostMarks = JSONOutline.greatestCount
    var isFull: Bool { mostMarks == 0 }
    /// The innermost noted container that is open.
    private var innermost = UInt32.max

    mutating func reserve() { marks.reserveCapacity(48) }

    @inline(__always)
    mutating func note(_ start: Int, _ end: Int, detail: Int = 0) {
        guard marks.count < mostMarks else { return giveUp() }
        let next = UInt32(truncatingIfNeeded: marks.count &+ 1)
        marks.append(
            Mark(
                start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end),
                next: next, detail: UInt32(truncatingIfNeeded: detail)))
    }

    /// `depth` counts the containers around this one.
    @inline(__always)
    mutating func open(at start: Int, depth: Int) {
        note(start, start, detail: depth == Self.greatestDepth ? 1 : 0)
        guard !isFull else { return }
        marks[marks.count &- 1].next = innermost
        innermost = UInt32(truncatingIfNeeded: marks.count &- 1)
    }

    /// `end` is one past the bracket that closes the innermost container.
    @inline(__always)
    mutating func close(at end: Int) {
        let place = Int(innermost)
        guard place < marks.count else { return }
        innermost = marks[place].next
        marks[place].end = UInt32(truncatingIfNeeded: end)
        marks[place].next = UInt32(truncatingIfNeeded: marks.count)
    }

    /// Half an outline would only mislead.
    private mutating func giveUp() {
        mostMarks = 0
        marks = []
    }
}
