import CNGHTTP2
import InferenceTypes

/// What happened on a session while it took in bytes. Slots are small indices that the session
/// hands out per stream and that stay valid until ``HTTP2Session/release(slot:)``.
public struct HTTP2Event: Sendable {
    public enum Kind: Sendable {
        /// The request head is complete; see ``HTTP2Session/swapHead(slot:with:)``.
        case head
        /// Payload: `range` lies in the bytes given to `receive`.
        case data
        /// The client has sent everything (END_STREAM), after `head` and any `data`.
        case end
        /// The stream is over for both sides; `code` is an RFC 9113 7 error code, 0 for a normal
        /// end. The slot must be released.
        case closed
        /// The stream's buffer fell below the low-water mark after a sender asked to be told.
        case drained
        /// The whole response has left, but the client may still be sending its request.
        case answered
    }

    public var kind: Kind
    public var slot: Int
    public var range: Range<Int> = 0..<0
    public var code: UInt32 = 0
}

/// One stream as the session keeps it.
struct HTTP2Slot: ~Copyable {
    var index: Int
    var streamID: Int32 = -1
    var head = FieldBlock()
    /// What the head's fields came to, dropped ones included.
    var fieldCount = 0
    var fieldBytes = 0
    var out: BlockQueue
    /// Body bytes that have left so far.
    var sentBytes = 0
    /// The head was over a limit: its fields were dropped, the stream is answered with 431.
    var isOverLimit = false
    /// The read callback told nghttp2 to wait; new bytes must resume the stream.
    var isDeferred = false
    /// No more bytes will be appended.
    var isEnded = false
    /// Someone waits for ``HTTP2Event/Kind/drained``.
    var wantsDrain = false

    init(index: Int, pool: BlockPool) {
        self.index = index
        out = BlockQueue(pool: pool)
    }

    mutating func reset() {
        streamID = -1
        head.removeAll()
        fieldCount = 0
        fieldBytes = 0
        out.clear()
        sentBytes = 0
        isOverLimit = false
        isDeferred = false
        isEnded = false
        wantsDrain = false
    }
}

/// The one piece of memory that nghttp2's callbacks see. They only append to or read from it: no
/// code of a caller ever runs inside a C call.
struct HTTP2Cell: ~Copyable {
    let limits: Limits
    let pool: BlockPool
    var slots: [UnsafeMutablePointer<HTTP2Slot>] = []
    var free: [Int] = []
    var active = 0
    var events: [HTTP2Event] = []
    /// Start and length of the bytes being taken in, to turn pointers into ranges.
    var inputBase: UnsafeRawPointer?
    var inputCount = 0
    var lowWater = 16 << 10
    /// Suspicious but legal frames since the session began; the connection judges their rate.
    var glitches = 0

    init(limits: Limits, pool: BlockPool) {
        self.limits = limits
        self.pool = pool
    }

    deinit {
        for slot in slots {
            slot.deinitialize(count: 1)
            slot.deallocate()
        }
    }

    mutating func claim() -> UnsafeMutablePointer<HTTP2Slot> {
        active += 1
        if let index = free.popLast() { return slots[index] }
        let slot = UnsafeMutablePointer<HTTP2Slot>.allocate(capacity: 1)
        slot.initialize(to: HTTP2Slot(index: slots.count, pool: pool))
        slots.append(slot)
        return slot
    }

    mutating func release(_ index: Int) {
        guard index < slots.count, slots[index].pointee.streamID >= 0 else { return }
        slots[index].pointee.reset()
        free.append(index)
        active -= 1
    }
}
