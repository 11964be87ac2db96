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

    /// The chunks of a stream begin alike: id, model and time do not change. `opening` is how the
    /// last one began, up to its choices; where it fits it is not read again.
    init(_ payload: UnsafeRawBufferPointer, opening: inout [UInt8]) {
        var reader = StreamChunkReader(payload)
        if !opening.isEmpty, payload.begins(with: opening) {
            reader.readRoot(after: opening)
        } else {
            reader.readRoot()
            opening.removeAll(keepingCapacity: true)
            if let start = reader.choicesStart, start <= Self.longestOpening {
                opening.append(contentsOf: payload[..<start])
            }
        }
        self = reader.chunk
    }

    /// Bounds what a stream keeps.
    private static let longestOpening = 512

    /// True if there is anything in it that the relay has to know.
    var saysAnything: Bool {
        type != nil || hasError || usage != nil || choicesAreEmpty || hasContent
            || finishedChoices != 0 || finishedBeyond != 0
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
