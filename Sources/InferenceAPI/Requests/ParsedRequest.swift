import InferenceTypes

/// What the gateway needs to know of a request's body. The body itself stays as it came: fields
/// unknown here reach the model server untouched.
public struct ParsedRequest: Sendable {
    public let task: InferenceTask
    /// The model asked for, escapes undone.
    public internal(set) var model = ""
    public internal(set) var streams = false
    /// True if the client asked for the usage chunk at a stream's end.
    public internal(set) var clientWantsUsage = false
    /// UTF-8 bytes of prompt text, tool definitions included. A prompt given as token identifiers
    /// counts four bytes for each.
    public internal(set) var promptBytes = 0
    /// Images and other parts that are not text.
    public internal(set) var mediaParts = 0
    /// True if the model server would have to fetch a part from somewhere.
    public internal(set) var hasRemoteMedia = false
    /// Which of the fields that reach into the model server are present.
    public internal(set) var restrictedFields: [String] = []
    /// The client's limit on output tokens, if it gave one.
    public internal(set) var maxOutputTokens: Int?
    /// Choices asked for (`n`).
    public internal(set) var choices = 1
    public internal(set) var hasTools = false
    public internal(set) var hasResponseFormat = false
    public internal(set) var hasLogprobs = false

    /// Where a classification's texts lie.
    public internal(set) var classification = ClassificationLayout()

    /// Where the prompt lies.
    var prompt = PromptLayout()

    /// Where to splice.
    var layout = BodyLayout()

    init(task: InferenceTask) { self.task = task }

    /// Checks and reads a body. `defaultModel` stands in for a model that the client left out.
    public static func parse(
        task: InferenceTask, body: UnsafeRawBufferPointer, limits: Limits,
        defaultModel: String? = nil
    ) throws(APIError) -> ParsedRequest {
        guard body.count <= limits.requestBodyBytes else {
            throw .bodyTooLarge(limit: limits.requestBodyBytes)
        }
        var request = ParsedRequest(task: task)
        // Filled in where it is: to be handed from one to the next it would be copied each time.
        try withUnsafeMutablePointer(to: &request) { request throws(APIError) in
            try fill(request, from: body, limits, defaultModel)
        }
        return request
    }

    private static func fill(
        _ request: UnsafeMutablePointer<ParsedRequest>, from body: UnsafeRawBufferPointer,
        _ limits: Limits, _ defaultModel: String?
    ) throws(APIError) {
        let document: JSONDocument
        do {
            document = try JSONDocument(validating: body, depth: limits.jsonDepth)
        } catch {
            throw .invalid(param: nil, error.explanation)
        }
        guard document.kind(of: document.root) == .object else {
            throw .invalid(param: nil, "The body must be a JSON object.")
        }
        var reader = RequestReader(into: request)
        try reader.read(document, defaultModel: defaultModel)
    }
}

extension JSONScanner.Failure {
    /// For the client.
    var explanation: String {
        let what =
            switch reason {
            case .unexpectedByte: "unexpected byte"
            case .unexpectedEnd: "unexpected end"
            case .tooDeep: "nested too deep"
            case .invalidUTF8: "invalid UTF-8"
            case .invalidEscape: "invalid escape"
            case .invalidNumber: "invalid number"
            case .controlCharacter: "control character in a string"
            case .trailingBytes: "bytes after the value"
            }
        return "The body is not valid JSON: \(what) at byte \(offset)."
    }
}
