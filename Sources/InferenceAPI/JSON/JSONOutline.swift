/// Where the keys and values of a text lie, noted while it is validated: whoever walks the text
/// steps from mark to mark and reads no byte again.
///
/// Deep values are seldom walked, and a bound keeps hostile text from turning into memory: what is
/// not noted here is found by reading.
///
/// The marks are in memory of its own, which goes with it: as an array they would be looked at for
/// other owners with every mark, and every copy of the document would count one.
struct JSONOutline: ~Copyable {
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
    private static let firstCount = 48

    /// Its first `count` are in use.
    private var marks = UnsafeMutableBufferPointer<Mark>(start: nil, count: 0)
    private(set) var count = 0
    /// None are left where there were too many.
    private var mostMarks = JSONOutline.greatestCount
    var isFull: Bool { mostMarks == 0 }
    /// The innermost noted container that is open.
    private var innermost = UInt32.max

    init() {}

    deinit { marks.deallocate() }

    subscript(place: Int) -> Mark {
        @inline(__always)
        get {
            precondition(place >= 0 && place < count)
            return marks[place]
        }
        @inline(__always)
        set {
            precondition(place >= 0 && place < count)
            marks[place] = newValue
        }
    }

    @inline(__always)
    mutating func note(_ start: Int, _ end: Int, detail: Int = 0) {
        if count == marks.count, !grow() { return }
        marks.initializeElement(
            at: count,
            to: Mark(
                start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end),
                next: UInt32(truncatingIfNeeded: count &+ 1),
                detail: UInt32(truncatingIfNeeded: detail)))
        count &+= 1
    }

    /// `depth` counts the containers around this one.
    @inline(__always)
    mutating func open(at start: Int, depth: Int) {
        note(start, start, detail: depth == Self.greatestDepth ? 1 : 0)
        guard !isFull else { return }
        self[count &- 1].next = innermost
        innermost = UInt32(truncatingIfNeeded: count &- 1)
    }

    /// `end` is one past the bracket that closes the innermost container.
    @inline(__always)
    mutating func close(at end: Int) {
        let place = Int(innermost)
        guard place < count else { return }
        innermost = self[place].next
        self[place].end = UInt32(truncatingIfNeeded: end)
        self[place].next = UInt32(truncatingIfNeeded: count)
    }

    /// Makes room for another mark; false if there are too many.
    @inline(never)
    private mutating func grow() -> Bool {
        guard count < mostMarks else {
            giveUp()
            return false
        }
        let room = min(max(2 * marks.count, Self.firstCount), mostMarks)
        let larger = UnsafeMutableBufferPointer<Mark>.allocate(capacity: room)
        _ = larger.moveInitialize(
            fromContentsOf: UnsafeMutableBufferPointer(rebasing: marks[..<count]))
        marks.deallocate()
        marks = larger
        return true
    }

    /// Half an outline would only mislead.
    private mutating func giveUp() {
        mostMarks = 0
        count = 0
        marks.deallocate()
        marks = UnsafeMutableBufferPointer(start: nil, count: 0)
    }
}
