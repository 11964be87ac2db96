import InferenceTypes

/// What one data payload of a stream says, as far as the relay has to know.
struct StreamChunk {
    /// The `type` of a responses event, without the `response.` in front.
    enum EventType {
        case outputTextDelta, completed, incomplete, failed, error, other
    }

    var type: EventType?
    var hasError = false
    var usage: Usage?
    var choicesAreEmpty = false
    var hasContent = false
    /// The indices of the choices that this chunk finishes, as bits.
    var finishedChoices: UInt64 = 0
    /// Finished choices with an index that the bits do not reach.
    var finishedBeyond = 0

    init() {}

    init(_ payload: UnsafeRawBufferPointer) {
        var reader = StreamChunkReader(payload)
        reader.readRoot()
        self = reader.chunk
    }

    /// True if there is nothing in it but content and what nobody reads.
    var isOrdinary: Bool {
        !hasError && usage == nil && finishedChoices == 0 && finishedBeyond == 0
    }

    static func eventType(of name: UnsafeRawBufferPointer) -> EventType {
        let text = JSONScanner(name)
        let whole = 0..<name.count
        if text.equals(whole, "response.output_text.delta") { return .outputTextDelta }
        if text.equals(whole, "response.completed") { return .completed }
        if text.equals(whole, "response.incomplete") { return .incomplete }
        if text.equals(whole, "response.failed") { return .failed }
        if text.equals(whole, "error") { return .error }
        return .other
    }
}
