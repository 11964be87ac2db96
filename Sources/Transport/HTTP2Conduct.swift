import InferenceTypes
import WireProtocols

/// Error codes of RFC 9113 7 that this end sends.
enum HTTP2Error {
    static let none: UInt32 = 0
    static let protocolError: UInt32 = 1
    static let internalError: UInt32 = 2
    static let cancel: UInt32 = 8
    static let enhanceYourCalm: UInt32 = 0xb
}

/// What is held against an HTTP/2 client: how it spends streams, how many suspicious frames it
/// sends, and how long it has taken over a header block.
struct HTTP2Conduct {
    private var glitches: GlitchBucket
    private var resets: ResetRule
    private var lateResets = 0
    /// The header block or frame that has not come whole, and since when.
    private var part = 0
    private var partSince: MonotonicTime?

    init(_ limits: Limits, at now: MonotonicTime) {
        glitches = GlitchBucket(limits, at: now)
        resets = ResetRule(limits)
    }

    /// Looks at what the last bytes have brought. False: the client is to be expelled.
    mutating func isSound(_ signs: HTTP2Session.Signs, at now: MonotonicTime) -> Bool {
        if signs.lateResets != lateResets {
            resets.late(signs.lateResets - lateResets)
            lateResets = signs.lateResets
        }
        if !signs.isWithinPart {
            partSince = nil
        } else if partSince == nil || part != signs.part {
            part = signs.part
            partSince = now
        }
        return !glitches.overflows(total: signs.glitches, at: now) && !resets.isBroken
    }

    /// How long the client has been sending a header block, or a frame other than DATA.
    func timeWithinPart(at now: MonotonicTime) -> TimeSpan { partSince.map { now - $0 } ?? .zero }

    /// A stream of this age is over; `isWell` if its answer was sent whole.
    mutating func streamEnded(_ cause: HTTP2Event.Cause, isWell: Bool, age: TimeSpan) {
        switch cause {
        case .us where isWell:
            glitches.requestEndedWell()
            resets.endedWell()
        case .us:
            resets.failedByUs()
        case .resetByPeer, .violation:
            resets.reset(age: age)
        }
    }
}
