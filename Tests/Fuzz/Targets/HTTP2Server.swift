import InferenceTypes
import WireProtocols

/// A server connection without its socket: a session whose events are followed, and which answers
/// as the input says.
struct HTTP2Server: ~Copyable {
    struct Request: Equatable {
        var fields: [UInt8] = []
        var body: [UInt8] = []
        var isOverLimit = false
        var isComplete = false
        var isAnswered = false
        /// The code and cause of its end.
        var end: UInt32?
        var cause: HTTP2Event.Cause?
    }

    /// What the answers are like.
    struct Manner {
        /// Answers and sends between two pieces of input; else only once all of it is there.
        var isPrompt: Bool
        /// How a request is answered: by the stream's place in the sequence.
        var answers: UInt8
    }

    private(set) var requests: [Request] = []
    private(set) var failure: HTTP2Session.Failure?
    private(set) var replies = HTTP2Replies()
    private(set) var sent: [UInt8] = []
    /// Which request each slot holds.
    private var places: [Int: Int] = [:]
    private var session: HTTP2Session
    private var events: [HTTP2Event] = []
    private var unanswered: [Int] = []
    private var glitches = 0
    private let manner: Manner
    private let limits: Limits

    static let body = [UInt8](repeating: UInt8(ascii: "a"), count: 3_000)

    init?(_ limits: Limits, _ manner: Manner) {
        guard let session = HTTP2Session(limits: limits) else { return nil }
        self.session = session
        self.limits = limits
        self.manner = manner
    }

    var signs: HTTP2Session.Signs { session.signs }

    mutating func receive(_ piece: UnsafeRawBufferPointer) throws(Finding) {
        guard failure == nil else { return }
        do throws(HTTP2Session.Failure) {
            try session.receive(piece)
        } catch {
            failure = error
        }
        try walk(piece)
        let signs = session.signs
        try require(signs.glitches >= glitches, "glitches go from \(glitches) to \(signs.glitches)")
        glitches = signs.glitches
        try require(
            failure != nil || session.outboundFrames <= limits.outboundFrames,
            "\(session.outboundFrames) frames wait")
        if manner.isPrompt { try turn() }
    }

    /// Answers what there is to answer, and sends until there is nothing left to send.
    mutating func turn() throws(Finding) {
        for slot in unanswered { answer(slot) }
        unanswered.removeAll(keepingCapacity: true)
        var queue = ByteQueue()
        // Each round sends at least a byte, and there is only so much to send.
        for _ in 0..<10_000 {
            guard session.fill(&queue, limit: 16 << 10) else {
                throw Finding(description: "the library ran out of memory")
            }
            let isDone = queue.isEmpty
            sent.append(contentsOf: queue.readable)
            try replies.take(queue.readable)
            queue.clear()
            try walk(UnsafeRawBufferPointer(start: nil, count: 0))
            if isDone { return try replies.requireWhole() }
        }
        throw Finding(description: "it sends without an end")
    }

    // MARK: Events

    private mutating func walk(_ input: UnsafeRawBufferPointer) throws(Finding) {
        guard session.hasEvents else { return }
        session.takeEvents(into: &events)
        for event in events { try walk(event, input) }
        // Streams whose head is not whole, or never will be, are open without having been told of.
        let active = session.activeStreams
        try require(
            (places.count...limits.concurrentStreams).contains(active),
            "\(active) streams are open, \(places.count) are known of")
    }

    private mutating func walk(
        _ event: HTTP2Event, _ input: UnsafeRawBufferPointer
    ) throws(Finding) {
        if event.kind == .head {
            try require(places[event.slot] == nil, "a second head in slot \(event.slot)")
            try begin(event.slot)
            return
        }
        guard let place = places[event.slot] else {
            // A stream that ends before its head was whole was never told of.
            try require(event.kind == .closed, "\(event.kind) of a stream without a head")
            session.release(slot: event.slot)
            return
        }
        switch event.kind {
        case .head: break
        case .data:
            try require(!requests[place].isComplete, "a body behind its end")
            try require(
                event.range.lowerBound >= 0 && event.range.upperBound <= input.count,
                "a body at \(event.range) of \(input.count) bytes")
            requests[place].body.append(contentsOf: input[event.range])
        case .end:
            try require(!requests[place].isComplete, "two ends")
            requests[place].isComplete = true
            unanswered.append(event.slot)
        case .closed:
            requests[place].end = event.code
            requests[place].cause = event.cause
            places[event.slot] = nil
            unanswered.removeAll { $0 == event.slot }
            session.release(slot: event.slot)
        case .drained: break
        case .answered:
            if !requests[place].isComplete { session.reset(slot: event.slot, code: 0) }
        }
    }

    private mutating func begin(_ slot: Int) throws(Finding) {
        var head = FieldBlock()
        var request = Request()
        request.isOverLimit = session.isOverLimit(slot: slot)
        session.swapHead(slot: slot, with: &head)
        let isWithin = head.count <= limits.headerFields && head.listSize <= limits.headerListBytes
        try require(isWithin, "a head of \(head.count) fields, \(head.listSize) bytes")
        try require(!request.isOverLimit || head.count == 0, "fields of a head over the limits")
        for index in 0..<head.count {
            head.withName(at: index) { request.fields.append(contentsOf: $0) }
            request.fields.append(0x0A)
            head.withValue(at: index) { request.fields.append(contentsOf: $0) }
            request.fields.append(0x0A)
        }
        places[slot] = requests.count
        requests.append(request)
        // Some answers do not wait for the request's end.
        if (manner.answers >> (requests.count & 3)) & 1 == 1 { unanswered.append(slot) }
    }

    private mutating func answer(_ slot: Int) {
        guard let place = places[slot], !requests[place].isAnswered else { return }
        requests[place].isAnswered = true
        let way = (Int(manner.answers) + place) % 5
        guard way != 4 else { return session.reset(slot: slot, code: 8) }
        var fields = FieldBlock()
        fields.append("x", "y")
        session.respond(slot: slot, status: 200, fields: fields, end: way == 0)
        guard way != 0 else { return }
        let count = way == 1 ? 5 : Self.body.count
        Self.body.withUnsafeBytes { body in
            let piece = UnsafeRawBufferPointer(rebasing: body[..<count])
            session.append(slot: slot, piece, end: way != 3)
        }
        if way == 3 { session.notifyWhenDrained(slot: slot, at: 1_000) }
    }
}
