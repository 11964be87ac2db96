import InferenceTypes

/// Looks into the events of one stream, keeps what the gateway has to know of them, and says what
/// is to become of each.
struct StreamObserver {
    enum Verdict: Equatable {
        case pass
        case drop
        /// The event that ends a whole answer.
        case finish
        /// An error event of the upstream's: the client gets it, and nothing after it.
        case passAndFail
        /// The event is not for the client; it is told in the gateway's words.
        case fail(StreamFailure)
    }

    private let isResponses: Bool
    private let stripUsage: Bool
    private let choices: Int

    private(set) var events = 0
    private(set) var contentEvents = 0
    private(set) var usage = Usage()
    private var finishedChoices: UInt64 = 0
    private var finishedBeyond = 0
    /// No block has been looked into.
    private var isAtStart = true
    private var template = EventTemplate()

    init(task: InferenceTask, stripUsage: Bool, choices: Int) {
        isResponses = task == .responses
        self.stripUsage = stripUsage
        self.choices = max(choices, 1)
    }

    var hasFinishReason: Bool {
        finishedChoices.nonzeroBitCount + finishedBeyond >= choices
    }

    /// One past the events from `start` on that are like one that passed before them: then they
    /// pass too and are counted. A block has to begin at `start`.
    @inline(__always)
    mutating func pass(
        _ bytes: UnsafeRawBufferPointer, from start: Int, limit: Int
    ) -> Int {
        let run = template.match(bytes, from: start, limit: limit)
        events &+= run.events
        contentEvents &+= run.contentEvents
        return run.end
    }

    /// Looks into one whole block.
    mutating func examine(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        let block = isAtStart ? Self.afterByteOrderMark(bytes) : bytes
        isAtStart = false
        let fields = SSEFields(of: block)
        guard let data = fields.data else { return examineWithoutData(block, fields) }
        let name = fields.event.map { UnsafeRawBufferPointer(rebasing: block[$0]) }
        guard fields.dataLines == 1 else {
            return SSEFields.joinedData(of: block).withUnsafeBytes { joined in
                var reader = StreamChunkReader(joined)
                return examine(joined, event: name, &reader)
            }
        }
        let payload = UnsafeRawBufferPointer(rebasing: block[data])
        var reader = StreamChunkReader(payload)
        let before = contentEvents
        let verdict = examine(payload, event: name, &reader)
        if verdict == .pass, reader.isWhole, reader.chunk.isOrdinary {
            let content: EventTemplate.Content =
                if isResponses { contentEvents > before ? .all : .none }
                else { reader.hasOtherContent ? .all : .thoseWithText }
            template.learn(block, reader.holes, from: data.lowerBound, content)
        }
        return verdict
    }

    /// A mark at the stream's start is no part of a field's name. Anywhere else it is, and clients
    /// then skip the line: what it says must not count here either.
    private static func afterByteOrderMark(
        _ bytes: UnsafeRawBufferPointer
    ) -> UnsafeRawBufferPointer {
        guard bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF else {
            return bytes
        }
        return UnsafeRawBufferPointer(rebasing: bytes[3...])
    }

    /// True if the client would take this data for the end, whatever follows on its line.
    private static func isDone(_ payload: UnsafeRawBufferPointer) -> Bool {
        JSONScanner(payload).equals(0..<min(payload.count, 6), "[DONE]")
    }

    private mutating func examineWithoutData(
        _ block: UnsafeRawBufferPointer, _ fields: SSEFields
    ) -> Verdict {
        // A bare JSON error in the place of an event is invisible to clients.
        guard block.first == UInt8(ascii: "{"), StreamChunk(block).hasError else { return .pass }
        return .fail(.incomplete)
    }

    private mutating func examine(
        _ payload: UnsafeRawBufferPointer, event name: UnsafeRawBufferPointer?,
        _ reader: inout StreamChunkReader
    ) -> Verdict {
        if Self.isDone(payload) {
            // Here it is not what ends an answer, yet clients would take it for that.
            return isResponses ? .fail(.incomplete) : .finish
        }
        events += 1
        reader.readRoot()
        let chunk = reader.chunk
        let type = name.map(StreamChunk.eventType(of:)) ?? .other
        note(chunk)
        if chunk.hasError || type == .error { return .passAndFail }
        if isResponses { return verdict(onResponse: type == .other ? chunk.type : type) }
        if chunk.hasContent { contentEvents += 1 }
        return stripUsage && chunk.choicesAreEmpty && chunk.usage != nil ? .drop : .pass
    }

    private mutating func verdict(onResponse type: StreamChunk.EventType?) -> Verdict {
        switch type {
        case .completed, .incomplete: return .finish
        case .failed, .error: return .passAndFail
        case .outputTextDelta:
            contentEvents += 1
            return .pass
        case .other, nil: return .pass
        }
    }

    private mutating func note(_ chunk: StreamChunk) {
        finishedChoices |= chunk.finishedChoices
        finishedBeyond += chunk.finishedBeyond
        guard let latest = chunk.usage else { return }
        usage.inputTokens = latest.inputTokens ?? usage.inputTokens
        usage.outputTokens = latest.outputTokens ?? usage.outputTokens
        usage.cachedInputTokens = latest.cachedInputTokens ?? usage.cachedInputTokens
    }
}
