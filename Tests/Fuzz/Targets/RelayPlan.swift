import InferenceAPI
import InferenceTypes

/// How a stream is relayed, as two bytes of the input say.
struct RelayPlan {
    let task: InferenceTask
    let stripUsage: Bool
    let choices: Int
    let cause: StreamRelay.EndCause
    private(set) var limits = Limits()

    init(_ options: UInt8, _ end: UInt8) {
        task = [.chat, .completion, .responses, .chat][Int(options & 3)]
        stripUsage = options & 4 != 0
        limits.eventBytes = [1 << 20, 48, 200, 600][Int(options >> 3 & 3)]
        cause = [.clean, .closed, .cut, .timeout, .shutdown][Int(end) % 5]
        choices = [1, 2, 65, 1][Int(end >> 5 & 3)]
    }

    func relay(_ pieces: [UnsafeRawBufferPointer]) -> RelayedStream {
        var relay = makeRelay()
        var result = RelayedStream()
        for piece in pieces { result.receive(piece, through: &relay) }
        result.finish(&relay, cause)
        return result
    }

    func relay(_ stream: UnsafeRawBufferPointer, cut choice: UInt8) -> RelayedStream {
        var relay = makeRelay()
        var result = RelayedStream()
        forEachPiece(of: stream, cut: choice) { result.receive($0, through: &relay) }
        result.finish(&relay, cause)
        return result
    }

    private func makeRelay() -> StreamRelay {
        StreamRelay(task: task, stripUsage: stripUsage, choices: choices, limits: limits)
    }
}

/// What a client got, and what the relay says of it.
struct RelayedStream: Equatable {
    /// Passed on, the finish included, less the gateway's own error event.
    var passed: [UInt8] = []
    var error: [UInt8] = []
    var isDone = false
    var isFailed = false
    var events = 0
    var contentEvents = 0
    var hasFinishReason = false
    var usage = Usage()

    private static let errorStart = Array("data: {\"error\":{\"message\":\"".utf8)
    private static let errorEnd = "\"}}\n\n"

    mutating func receive(_ piece: UnsafeRawBufferPointer, through relay: inout StreamRelay) {
        switch relay.receive(piece) {
        case .forward(let range): passed.append(contentsOf: piece[range])
        case .buffered: relay.withPending { passed.append(contentsOf: $0) }
        case .bufferedThen(let range):
            relay.withPending { passed.append(contentsOf: $0) }
            passed.append(contentsOf: piece[range])
        case .nothing: break
        }
    }

    mutating func finish(_ relay: inout StreamRelay, _ cause: StreamRelay.EndCause) {
        relay.end(cause: cause)
        relay.withPending { passed.append(contentsOf: $0) }
        relay.withFinish { passed.append(contentsOf: $0) }
        isDone = relay.isDone
        isFailed = relay.isFailed
        events = relay.events
        contentEvents = relay.contentEvents
        hasFinishReason = relay.hasFinishReason
        usage = relay.usage
        moveError()
    }

    /// The gateway's own error event is the last one, and its message has no bare quote in it.
    private mutating func moveError() {
        guard isFailed, passed.suffix(5).elementsEqual(Self.errorEnd.utf8) else { return }
        var start = passed.count - Self.errorStart.count
        while start >= 0, !passed[start...].starts(with: Self.errorStart) { start -= 1 }
        guard start >= 0 else { return }
        let event = passed[start...]
        guard event.contains("\"type\":\"upstream_error\",\"param\":null,\"code\":\"".utf8)
        else { return }
        error = Array(event)
        passed.removeSubrange(start...)
    }

    // MARK: Properties

    func requireSame(as other: RelayedStream) throws(Finding) {
        var (a, b) = (self, other)
        // How much of an event that is too large has come when it fails depends on the pieces, and
        // with it whether its own message can be shown.
        if a.isTooLarge, b.isTooLarge { (a.error, b.error) = ([], []) }
        try require(a == b, "whole: \(a.text), in pieces: \(b.text)")
    }

    func check(_ plan: RelayPlan, input: UnsafeRawBufferPointer) throws(Finding) {
        try require(isDone != isFailed, "neither done nor failed, or both")
        if plan.stripUsage {
            try requireOnlyUsageMissing(of: input)
        } else {
            try require(
                passed.count <= input.count && passed.elementsEqual(input[..<passed.count]),
                "the client got other bytes: \(shown(passed))")
        }
        let seen = EventStreamClient.events(of: passed + error)
        if isDone {
            try require(error.isEmpty, "done, and an error event")
            try require(seen.last.map { ends(plan, $0) } ?? false, "done without an end")
        }
        for event in isDone ? seen.dropLast() : seen[...] where plan.task != .responses {
            try require(!event.isDone, "an end that is none: \(shown(event.data))")
        }
        if isFailed { try checkFailure(seen) }
    }

    private func ends(_ plan: RelayPlan, _ event: EventStreamClient.Event) -> Bool {
        guard plan.task == .responses else { return event.isDone }
        let text = event.name + event.data
        return text.contains("response.completed".utf8)
            || text.contains("response.incomplete".utf8)
    }

    private func checkFailure(_ seen: [EventStreamClient.Event]) throws(Finding) {
        guard let last = seen.last else { throw Finding(description: "failed in silence") }
        guard error.isEmpty else {
            let isValid = last.data.withUnsafeBytes { JSONScanner.isValid($0, depth: 8) }
            return try require(isValid, "an error event that is no JSON: \(shown(error))")
        }
        let text = last.name + last.data
        let tells = text.contains("error".utf8) || text.contains("response.failed".utf8)
        try require(tells, "the last event of a failed stream is no error: \(shown(text))")
    }

    /// What was left out must be whole blocks with a usage in them.
    private func requireOnlyUsageMissing(of input: UnsafeRawBufferPointer) throws(Finding) {
        var scanner = SSEScanner()
        var (start, offset) = (0, 0)
        while let end = scanner.endOfBlock(in: input, from: start), offset < passed.count {
            let block = input[start..<end]
            start = end
            if passed[offset...].starts(with: block) {
                offset += block.count
            } else {
                try require(block.contains("\"usage\"".utf8), "left out: \(shown(block))")
            }
        }
        if offset < passed.count { offset += isPrefix(input[start...], from: offset) }
        try require(offset == passed.count, "the client got other bytes: \(shown(passed))")
    }

    /// At the stream's end a block may lack the second half of its last line end.
    private func isPrefix(_ rest: Slice<UnsafeRawBufferPointer>, from offset: Int) -> Int {
        passed[offset...].elementsEqual(rest) ? rest.count : 0
    }

    private var isTooLarge: Bool { error.contains("stream_too_large_event".utf8) }

    private var text: String {
        "\(shown(passed)) \(shown(error)) done \(isDone) failed \(isFailed) events \(events)"
            + " content \(contentEvents) finish \(hasFinishReason) \(usage)"
    }
}

extension Collection<UInt8> where Index == Int {
    func contains(_ text: String.UTF8View) -> Bool {
        guard let first = text.first else { return true }
        var index = startIndex
        while index < endIndex {
            if self[index] == first, self[index...].starts(with: text) { return true }
            index += 1
        }
        return false
    }
}
