import InferenceTypes

/// Relays one answer stream from a model server to a client: the original bytes, whole events
/// only, so that an error event can follow at any time. A stream that does not end as its kind
/// has to is never passed off as complete: the client gets one error event and no `[DONE]`.
public struct StreamRelay: ~Copyable {
    /// What an input leads to.
    public enum Output: Equatable, Sendable {
        /// This part of the input goes on as it is; nothing else waits to be sent.
        case forward(Range<Int>)
        /// Take what is pending.
        case buffered
        /// Take what is pending, then this part of the input.
        case bufferedThen(Range<Int>)
        case nothing
    }

    /// How the upstream's body ended.
    public enum EndCause: Sendable {
        /// By its framing: the last chunk, or the content length.
        case clean
        /// By the end of a connection that delimits it.
        case closed
        /// In the middle of its framing.
        case cut
        case timeout
        /// The gateway itself stops.
        case shutdown
    }

    private enum State { case open, done, failed }

    /// Capacity that is kept for the next event, bytes: a thousand quiet streams each keep it.
    private static let keptCapacity = 2 << 10

    private let limit: Int
    private var state = State.open
    private var scanner = SSEScanner()
    private var observer: StreamObserver
    /// The beginning of an event that has not ended.
    private var held: [UInt8] = []
    private var pending: [UInt8] = []
    private var finish: [UInt8] = []

    /// - Parameters:
    ///   - stripUsage: the usage event was asked for by the gateway, not by the client.
    ///   - choices: how many choices the client asked for.
    public init(task: InferenceTask, stripUsage: Bool, choices: Int = 1, limits: Limits) {
        limit = limits.eventBytes
        observer = StreamObserver(task: task, stripUsage: stripUsage, choices: choices)
    }

    public var isOpen: Bool { state == .open }
    /// The event that ends a whole answer has come.
    public var isDone: Bool { state == .done }
    /// The client has got an error event, or will with what is pending.
    public var isFailed: Bool { state == .failed }

    /// Data events, without `[DONE]`.
    public var events: Int { observer.events }
    /// Events with text, reasoning or tool calls in them.
    public var contentEvents: Int { observer.contentEvents }
    /// Tokens as the engine has counted them so far.
    public var usage: Usage { observer.usage }
    /// True once every choice has had its finish reason.
    public var hasFinishReason: Bool { observer.hasFinishReason }

    /// Takes the next bytes of the body.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer) -> Output {
        var start = 0
        if !held.isEmpty, state == .open {
            guard let end = scanner.endOfBlock(in: bytes, from: 0) else {
                hold(bytes)
                return pending.isEmpty ? .nothing : .buffered
            }
            held.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[..<end]))
            completeHeld()
            start = end
        }
        // What goes on without a copy, as long as it is in one piece.
        var run = start..<start
        while state == .open {
            if run.upperBound == start {
                run = run.lowerBound..<passLike(bytes, from: start)
                start = run.upperBound
            }
            guard let end = scanner.endOfBlock(in: bytes, from: start) else { break }
            let block = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            let verdict = settle(block)
            if verdict == .pass || verdict == .passAndFail {
                if run.upperBound < start {
                    take(&run, of: bytes)
                    run = start..<start
                }
                run = run.lowerBound..<end
            } else if case .fail(let failure) = verdict {
                take(&run, of: bytes)
                failure.appendEvent(residue: block, to: &pending)
            }
            start = end
        }
        if state == .open, bytes.count - start > limit {
            take(&run, of: bytes)
            fail(.tooLargeEvent)
        } else if state == .open, start < bytes.count {
            hold(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        }
        if pending.isEmpty { return run.isEmpty ? .nothing : .forward(run) }
        guard !run.isEmpty, state != .failed else {
            take(&run, of: bytes)
            return .buffered
        }
        return .bufferedThen(run)
    }

    /// One past the events from `start` on that are like one before them.
    @inline(__always)
    private mutating func passLike(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        scanner.isAtFreshBlock ? observer.pass(bytes, from: start, limit: limit) : start
    }

    /// The upstream is over, as `cause` says. If the answer is not whole, an error event is
    /// pending after this.
    public mutating func end(cause: EndCause) {
        guard state == .open else { return }
        if scanner.isAwaitingLineFeed { completeHeld() }
        guard state == .open else { return }
        switch cause {
        case .clean, .closed: fail(.incomplete)
        case .cut: fail(.cut)
        case .timeout: fail(.timeout)
        case .shutdown: fail(.shutdown)
        }
    }

    /// Hands out what waits to be sent, if anything does.
    public mutating func withPending(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard !pending.isEmpty else { return }
        pending.withUnsafeBytes(body)
        Self.empty(&pending)
    }

    /// Once done, hands out the event that ends the answer, as it came: the last bytes to send.
    public mutating func withFinish(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard !finish.isEmpty else { return }
        finish.withUnsafeBytes(body)
        finish = []
    }

    // MARK: Blocks

    /// Looks into a whole block and changes the state as it asks.
    private mutating func settle(_ block: UnsafeRawBufferPointer) -> StreamObserver.Verdict {
        let verdict =
            block.count > limit ? .fail(.tooLargeEvent) : observer.examine(block)
        switch verdict {
        case .pass, .drop: break
        case .passAndFail, .fail: state = .failed
        case .finish:
            state = .done
            finish.append(contentsOf: block)
        }
        return verdict
    }

    /// The held block has its end.
    private mutating func completeHeld() {
        var block: [UInt8] = []
        swap(&block, &held)
        let verdict = block.withUnsafeBytes { block in
            observer.pass(block, from: 0, limit: limit) == 0 ? settle(block) : .pass
        }
        switch verdict {
        case .pass, .passAndFail: pending.append(contentsOf: block)
        case .fail(let failure):
            block.withUnsafeBytes { failure.appendEvent(residue: $0, to: &pending) }
        case .drop, .finish: break
        }
        Self.empty(&block)
        swap(&block, &held)
    }

    /// Keeps the beginning of a block, or more of it.
    private mutating func hold(_ bytes: UnsafeRawBufferPointer) {
        guard held.count + bytes.count <= limit else { return fail(.tooLargeEvent) }
        held.append(contentsOf: bytes)
    }

    private mutating func fail(_ failure: StreamFailure) {
        state = .failed
        held.withUnsafeBytes { failure.appendEvent(residue: $0, to: &pending) }
        held = []
    }

    /// Moves a run of the input to what is pending.
    private mutating func take(_ run: inout Range<Int>, of bytes: UnsafeRawBufferPointer) {
        pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[run]))
        run = run.upperBound..<run.upperBound
    }

    private static func empty(_ bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: bytes.capacity <= keptCapacity)
    }
}
