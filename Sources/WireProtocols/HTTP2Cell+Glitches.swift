/// What counts as suspicious on an HTTP/2 connection. Each such frame is legal, or a fault of one
/// stream only; what gives a flood away is their number.
extension HTTP2Cell {
    /// One frame header of the peer's.
    mutating func note(_ frame: HTTP2FrameScanner.Head) {
        switch frame.type {
        case HTTP2Callbacks.frameType.headers:
            // Here and not where the library opens the stream, which is later: it must not matter
            // whether the updates behind it come in the same piece.
            if frame.stream & 1 == 1, frame.stream > lastStream {
                lastStream = frame.stream
                grant(2)
            }
        case HTTP2Callbacks.frameType.data,
            HTTP2Callbacks.frameType.continuation, HTTP2Callbacks.frameType.rstStream:
            // What is in them decides, or what becomes of their streams.
            break
        case HTTP2Callbacks.frameType.settings:
            // The library ends a connection that acknowledges what was never sent.
            if frame.flags & HTTP2Callbacks.acknowledge == 0 { glitches &+= 1 }
        case HTTP2Callbacks.frameType.windowUpdate:
            if updatesLeft > 0 { updatesLeft &-= 1 } else { glitches &+= 1 }
        default:
            // PING, PRIORITY, GOAWAY, PUSH_PROMISE and types that this end does not know.
            glitches &+= 1
        }
    }

    /// HEADERS frames that were passed over, by the number that came so far: those on streams that
    /// are over, and all new ones once the last GOAWAY has left.
    mutating func noteHeaderFrames(_ count: Int) {
        let ignored = count &- headerFramesTaken
        guard ignored > 0 else { return }
        glitches &+= ignored
        headerFramesTaken = count
    }

    /// A frame that breaks the rules of its stream, or a stream too many.
    mutating func noteInvalidFrame() {
        glitches &+= 1
        countedResets &+= 1
    }

    /// A stream was reset from here. Codes 0 and 2 are our own doing: an answer that needs no more
    /// of its request, a model server that failed.
    mutating func noteResetSent(code: UInt32) {
        if countedResets > 0 {
            countedResets &-= 1
        } else if code != 0, code != 2 {
            glitches &+= 1
        }
    }

    // A reader opens windows as it reads: two updates for a DATA frame, the stream's and the
    // connection's, or as many for each small piece that it reads of it. Whoever sends more than
    // that is not reading.

    static let updatesAtStart = 10
    private static let updatesKept = 10_000

    mutating func noteSent(bytes: Int) { grant(2 &+ 2 &* (bytes / 512)) }

    private mutating func grant(_ updates: Int) {
        updatesLeft = min(updatesLeft &+ updates, Self.updatesKept)
    }
}
