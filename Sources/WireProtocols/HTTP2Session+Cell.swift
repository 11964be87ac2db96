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

    /// Whose doing the end of a stream was.
    public enum Cause: Sendable {
        /// The answer was sent whole, or `reset` ended the stream.
        case us
        /// The peer sent RST_STREAM.
        case resetByPeer
        /// The peer broke the protocol, or the stream came too many.
        case violation
    }

    public var kind: Kind
    public var slot: Int
    public var range: Range<Int> = 0..<0
    public var code: UInt32 = 0
    /// Only of use with `closed`.
    public var cause = Cause.us
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
    var isResetByPeer = false
    /// Whoever uses the session has reset the stream.
    var isResetByUs = false

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
        isResetByPeer = false
        isResetByUs = false
    }

    /// Why the stream ended with `code`.
    func cause(code: UInt32) -> HTTP2Event.Cause {
        if isResetByPeer { return .resetByPeer }
        return code == 0 || isResetByUs ? .us : .violation
    }
}

/// The one piece of memory that nghttp2's callbacks see. They only append to or read from it: no
/// code of a caller ever runs inside a C call.
struct HTTP2Cell: ~Copyable {
    /// What the callbacks need of the limits: reading one number out of the whole struct would copy
    /// all of it.
    struct Bounds {
        var streams: Int
        var fields: Int
        var fieldBytes: Int
        var trailerFields: Int
        var trailerBytes: Int
        var outboundFrames: Int

        init(_ limits: Limits) {
            streams = limits.concurrentStreams
            fields = limits.headerFields
            fieldBytes = limits.headerListBytes
            trailerFields = limits.trailerFields
            trailerBytes = limits.trailerBytes
            outboundFrames = limits.outboundFrames
        }
    }

    let bounds: Bounds
    let pool: BlockPool
    var slots: [UnsafeMutablePointer<HTTP2Slot>] = []
    var free: [Int] = []
    /// The slot that was asked for last, while its stream is open.
    var recent: UnsafeMutablePointer<HTTP2Slot>?
    var active = 0
    var events: [HTTP2Event] = []
    /// Start and length of the bytes being taken in, to turn pointers into ranges.
    var inputBase: UnsafeRawPointer?
    var inputCount = 0
    /// Where frames go while they are asked for, until it holds so many bytes.
    var target: UnsafeMutablePointer<ByteQueue>?
    var targetLimit = 0
    /// At or below this many bytes a stream that waits for room is told.
    var lowWater = 16 << 10
    /// Suspicious frames since the session began; the connection judges their rate.
    var glitches = 0
    /// HEADERS frames that the library did not pass over.
    var headerFramesTaken = 0
    /// Resets of streams that were over.
    var lateResets = 0
    /// An answer has named its request: the name of that field is in the peer's table.
    var hasNamedRequest = false
    /// Something has left: our SETTINGS, at least.
    var hasSentFrames = false
    /// The widest of the open streams' send windows when the last SETTINGS began, and the initial
    /// window that held then.
    var widestWindow = 0
    var initialWindow = 0
    /// SETTINGS lifted a stream's window above what a window may be.
    var hasOverflownWindow = false
    /// RST_STREAM frames to come that were counted when their cause came in.
    var countedResets = 0
    /// WINDOW_UPDATE frames that the peer may send before they count as suspicious.
    var updatesLeft = HTTP2Cell.updatesAtStart
    /// The highest stream that HEADERS came on.
    var lastStream = -1

    init(limits: Limits, pool: BlockPool) {
        bounds = Bounds(limits)
        self.pool = pool
    }

    deinit {
        for slot in slots {
            slot.deinitialize(count: 1)
            slot.deallocate()
        }
    }

    /// Frames are asked for, and not so many yet.
    @inline(__always)
    var hasRoomOut: Bool {
        guard let target else { return false }
        return target.pointee.count < targetLimit
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
        if recent == slots[index] { recent = nil }
        slots[index].pointee.reset()
        free.append(index)
        active -= 1
    }
}
