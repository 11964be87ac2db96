/// Follows the frame headers of a peer's bytes beside the library, which passes over some frames
/// without a word and tells of others only once they are whole. Payloads are skipped unseen, those
/// of SETTINGS aside.
struct HTTP2FrameScanner {
    /// One frame header (RFC 9113 4.1).
    struct Head: Equatable {
        var length: Int
        var type: UInt8
        var flags: UInt8
        var stream: Int
    }

    /// Counts the parts of the stream that must come whole within a time: header blocks, and
    /// frames that carry no body.
    private(set) var part = 0
    /// The part that ``part`` numbers has begun and is not whole.
    var isWithinPart: Bool {
        isWithinBlock || filled > 0 || (payloadLeft > 0 && type != HTTP2Callbacks.frameType.data)
    }

    /// HEADERS frames begun so far.
    private(set) var headerFrames = 0
    /// A HEADERS frame came on a stream that the peer had passed over (RFC 9113 5.1.1).
    private(set) var hasUsedSkippedStream = false
    /// A fault that the library would let pass: the connection is to end for it.
    private(set) var violation: HTTP2ErrorCode?

    private var raw: UInt64 = 0
    private var filled = 0
    private var type = HTTP2FrameScanner.preface
    /// The connection preface counts as the payload of a frame before the first.
    private var payloadLeft = 24
    private var isWithinBlock = false
    private var continuations = 0
    private var settings = HTTP2SettingsCheck()
    private var isWithinSettings = false
    private var lastStream = -1
    /// Ids that were passed over, the oldest ones forgotten first.
    private var skipped: [ClosedRange<Int>] = []

    /// No frame type; those are below 256.
    private static let preface: UInt8 = 0xFF
    private static let headBytes = 9
    private static let endHeaders: UInt8 = 0x4
    private static let skippedRanges = 16
    /// SETTINGS_MAX_FRAME_SIZE as it is when nobody changes it.
    private static let longestFrame = 16_384
    /// CONTINUATION frames of one header block: together with HEADERS they hold twice what a head
    /// may come to, which is 64 KiB.
    private static let mostContinuations = 8

    /// Calls `note` with each frame header that becomes whole within `bytes`.
    mutating func scan(_ bytes: UnsafeRawBufferPointer, _ note: (Head) -> Void) {
        var offset = 0
        while offset < bytes.count {
            if payloadLeft > 0 {
                let step = min(payloadLeft, bytes.count - offset)
                if isWithinSettings {
                    check(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + step]))
                }
                offset += step
                payloadLeft -= step
                continue
            }
            if filled == 0, !isWithinBlock { part &+= 1 }
            // The length's first byte leaves the 64 bits when the ninth byte comes.
            if filled == Self.headBytes - 1 {
                let head = Head(
                    length: Int(raw >> 40), type: UInt8(truncatingIfNeeded: raw >> 32),
                    flags: UInt8(truncatingIfNeeded: raw >> 24),
                    stream: Int((raw << 8 | UInt64(bytes[offset])) & 0x7FFF_FFFF))
                filled = 0
                raw = 0
                begin(head)
                note(head)
            } else {
                raw = raw << 8 | UInt64(bytes[offset])
                filled += 1
            }
            offset += 1
        }
    }

    private mutating func begin(_ head: Head) {
        type = head.type
        payloadLeft = head.length
        isWithinSettings = false
        switch head.type {
        case HTTP2Callbacks.frameType.headers:
            headerFrames &+= 1
            continuations = 0
            isWithinBlock = head.flags & Self.endHeaders == 0
            follow(head.stream)
        case HTTP2Callbacks.frameType.continuation:
            // The library reads a block's later parts at any length (RFC 9113 4.2), and it counts
            // one twice whose head comes in two pieces.
            continuations += 1
            if head.length > Self.longestFrame {
                violation = violation ?? .frameSizeError
            } else if continuations > Self.mostContinuations {
                violation = violation ?? .enhanceYourCalm
            }
            if head.flags & Self.endHeaders != 0 { isWithinBlock = false }
        case HTTP2Callbacks.frameType.settings:
            isWithinSettings = head.flags & HTTP2Callbacks.acknowledge == 0
            settings.begin()
        default:
            break
        }
    }

    private mutating func check(_ entries: UnsafeRawBufferPointer) {
        if let error = settings.take(entries) { violation = violation ?? error }
    }

    /// A client's streams have odd ids that only grow; those between two of them are closed
    /// without ever having been open.
    private mutating func follow(_ stream: Int) {
        guard stream & 1 == 1 else { return }
        if stream > lastStream {
            if stream > lastStream + 2 {
                if skipped.count == Self.skippedRanges { skipped.removeFirst() }
                skipped.append(lastStream + 2...stream - 2)
            }
            lastStream = stream
        } else if skipped.contains(where: { $0.contains(stream) }) {
            hasUsedSkippedStream = true
        }
    }
}
