import InferenceTypes
import Testing

@testable import WireProtocols

/// A server session with its events written down, driven by frames.
final class HTTP2Bench {
    struct Request: Equatable {
        var slot: Int
        var fields: [String]
        var body: [UInt8] = []
        var isComplete = false
        var isOverLimit = false
    }

    var session: HTTP2Session
    var limits: Limits
    var requests: [Request] = []
    var closed: [(slot: Int, code: UInt32)] = []
    var causes: [HTTP2Event.Cause] = []
    var drained: [Int] = []
    var answered: [Int] = []
    var failure: HTTP2Session.Failure?
    private var reader = HTTP2FrameReader()
    private var events: [HTTP2Event] = []

    init?(limits: Limits = Limits()) {
        self.limits = limits
        guard let session = HTTP2Session(limits: limits) else { return nil }
        self.session = session
    }

    var activeStreams: Int { session.activeStreams }
    var glitches: Int { session.signs.glitches }
    var signs: HTTP2Session.Signs { session.signs }
    var isFinished: Bool { session.isFinished }
    func isRequestOver(_ slot: Int) -> Bool { session.isRequestOver(slot: slot) }
    func buffered(_ slot: Int) -> Int { session.bufferedBytes(slot: slot) }

    func feed(_ bytes: [UInt8], step: Int = 16 << 10) {
        var rest = bytes[...]
        while !rest.isEmpty, failure == nil {
            let piece = Array(rest.prefix(step))
            rest = rest.dropFirst(step)
            piece.withUnsafeBytes { raw in
                do throws(HTTP2Session.Failure) {
                    try session.receive(raw)
                } catch {
                    failure = error
                }
                note(raw)
            }
        }
    }

    private func note(_ input: UnsafeRawBufferPointer) {
        session.takeEvents(into: &events)
        for event in events {
            let place = requests.lastIndex { $0.slot == event.slot }
            switch event.kind {
            case .head:
                var head = FieldBlock()
                let isOver = session.isOverLimit(slot: event.slot)
                session.swapHead(slot: event.slot, with: &head)
                requests.append(
                    Request(slot: event.slot, fields: head.list, isOverLimit: isOver))
            case .data:
                if let place { requests[place].body += input[event.range] }
            case .end:
                if let place { requests[place].isComplete = true }
            case .closed:
                closed.append((event.slot, event.code))
                causes.append(event.cause)
                session.release(slot: event.slot)
            case .drained: drained.append(event.slot)
            case .answered: answered.append(event.slot)
            }
        }
    }

    /// Everything the session has to say, as frames.
    func fill(limit: Int = 1 << 20) -> [HTTP2Frame] {
        var queue = ByteQueue()
        let isWell = session.fill(&queue, limit: limit)
        note(UnsafeRawBufferPointer(start: nil, count: 0))
        return isWell ? reader.append(Array(queue.readable)) : []
    }

    func respond(_ slot: Int, status: Int = 200, end: Bool) {
        session.respond(slot: slot, status: status, fields: FieldBlock(), end: end)
    }

    func append(_ slot: Int, _ bytes: [UInt8], end: Bool = false) {
        bytes.withUnsafeBytes { session.append(slot: slot, $0, end: end) }
    }

    /// A session that has said hello both ways, unless it is to be seen from its first byte.
    static func make(
        _ limits: Limits = Limits(), started: Bool = true
    ) throws -> HTTP2Bench {
        let bench = try #require(HTTP2Bench(limits: limits))
        guard started else { return bench }
        bench.feed(HTTP2Frames.start)
        _ = bench.fill()
        bench.feed(HTTP2Frames.settingsAcknowledged)
        return bench
    }
}
