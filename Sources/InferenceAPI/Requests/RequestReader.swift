import InferenceTypes

/// Walks a validated body once and fills in a `ParsedRequest`.
struct RequestReader {
    typealias Node = JSONDocument.Node

    let document: JSONDocument
    var request: ParsedRequest
    var ledger = KeyLedger()
    /// The first thing found wrong. Walks stop at it; closures cannot throw through them.
    private(set) var failure: APIError?
    /// The same for the walks: asking an optional of many fields copies them.
    private(set) var hasFailed = false
    /// Where the walk is, for errors: the top-level field and the element in it.
    var field: StaticString = ""
    var element: Int?

    private var hasMessages = false
    private var maxTokens: Int?
    private var maxCompletionTokens: Int?

    /// Longest model name, bytes.
    static let greatestModelName = 256
    static let greatestMessageCount = 2_048
    static let greatestChoices = 128
    /// Keeps the search for duplicate keys short; objects that are only passed on are not bound.
    static let greatestMemberCount = 1_024

    init(_ document: JSONDocument, task: InferenceTask) {
        self.document = document
        request = ParsedRequest(task: task)
    }

    mutating func read(defaultModel: String?) throws(APIError) -> ParsedRequest {
        request.layout.start = document.root.range.lowerBound + 1
        forEachMember(of: document.root) { reader, key, value in
            reader.request.layout.isEmptyObject = false
            reader.readField(key, value)
        }
        if let failure { throw failure }
        if request.model.isEmpty {
            guard let defaultModel, !defaultModel.isEmpty else {
                throw .invalid(param: "model", "You must give a 'model'.")
            }
            request.model = defaultModel
        }
        if request.task == .chat, !hasMessages {
            throw .invalid(param: "messages", "You must give 'messages'.")
        }
        request.maxOutputTokens = maxCompletionTokens ?? maxTokens
        return request
    }

    /// Walks an object's members and fails if two have the same key.
    @inline(__always)
    mutating func forEachMember(
        of object: Node,
        _ body: (inout RequestReader, _ key: MemberKey, _ value: Node) -> Void
    ) {
        let document = document
        let mark = ledger.open()
        document.forEachMember(of: object) { node, value in
            let key = MemberKey(node, in: document)
            ledger.add(key, at: node)
            if ledger.count(since: mark) > Self.greatestMemberCount {
                fail(path(to: key.excerpt), "An object has more members than any field needs.")
            }
            body(&self, key, value)
            return !hasFailed
        }
        if let key = ledger.close(mark, in: document), !hasFailed {
            fail(path(to: key.excerpt), "The key '\(key.excerpt)' is there twice.")
        }
    }

    /// The name of a member of the object being read, for `param`.
    private func path(to key: String) -> String {
        guard field.utf8CodeUnitCount > 0 else { return key }
        guard let element else { return "\(field).\(key)" }
        return "\(field)[\(element)].\(key)"
    }

    mutating func fail(_ param: String, _ message: String) {
        guard !hasFailed else { return }
        hasFailed = true
        failure = .invalid(param: param, message)
    }

    // MARK: Top-level fields

    private mutating func readField(_ key: MemberKey, _ value: Node) {
        if request.task == .classify { request.classification.note(key, value) }
        guard let field = RequestField(key) else { return }
        if case .model = field { return readModel(value) }
        guard document.kind(of: value) != .null else {
            if case .streamOptions = field {
                request.layout.streamOptions = .init(value: value.range, isObject: false)
            }
            return
        }
        switch field {
        case .messages:
            request.prompt.content = value.range
            readMessages(value)
        case .cacheSalt: request.prompt.salt = value.range
        case .session: request.prompt.note(session: value.range, key)
        case .tools:
            request.prompt.tools = value.range
            request.promptBytes += value.range.count
            request.hasTools = true
        case .prompt(let name):
            request.prompt.note(value.range, named: key)
            self.field = name
            readContent(value, nesting: 0)
            self.field = ""
            element = nil
        case .restricted(let name): request.restrictedFields.append("\(name)")
        default: if request.task.generates { readGeneration(field, value) }
        }
    }

    private mutating func readModel(_ value: Node) {
        request.layout.model = value.range
        switch document.kind(of: value) {
        case .null: return
        case .string:
            let text = JSONText.unescaped(document.contents(of: value))
            guard 1...Self.greatestModelName ~= text.utf8.count else {
                return fail(
                    "model", "'model' must have 1 to \(Self.greatestModelName) bytes.")
            }
            request.model = text
        default: fail("model", "'model' must be a string.")
        }
    }

    private mutating func readGeneration(_ field: RequestField, _ value: Node) {
        switch field {
        case .stream: request.streams = boolean(value, "stream")
        case .streamOptions: readStreamOptions(value)
        case .responseFormat: request.hasResponseFormat = true
        case .logprobs: request.hasLogprobs = document.kind(of: value) != .false
        case .choices: request.choices = integer(value, "n", in: 1...Self.greatestChoices) ?? 1
        case .maxTokens: maxTokens = integer(value, "max_tokens", in: 0...Int.max)
        case .maxCompletionTokens:
            maxCompletionTokens = integer(value, "max_completion_tokens", in: 0...Int.max)
        case .maxOutputTokens where request.task == .responses:
            maxCompletionTokens = integer(value, "max_output_tokens", in: 0...Int.max)
        default: break
        }
    }

    private mutating func readStreamOptions(_ value: Node) {
        guard document.kind(of: value) == .object else {
            return fail("stream_options", "'stream_options' must be an object.")
        }
        var options = BodyLayout.StreamOptions(value: value.range, isObject: true)
        field = "stream_options"
        forEachMember(of: value) { reader, key, value in
            options.isEmptyObject = false
            guard key.is("include_usage") else { return }
            options.includeUsage = value.range
            guard reader.document.kind(of: value) != .null else { return }
            reader.request.clientWantsUsage =
                reader.boolean(value, "stream_options.include_usage")
        }
        field = ""
        request.layout.streamOptions = options
    }

    private mutating func readMessages(_ value: Node) {
        guard document.kind(of: value) == .array else {
            return fail("messages", "'messages' must be an array.")
        }
        hasMessages = true
        field = "messages"
        let document = document
        var count = 0
        document.forEachElement(of: value) { message in
            element = count
            count += 1
            if count > Self.greatestMessageCount {
                fail("messages", "'messages' has more than \(Self.greatestMessageCount).")
            } else if document.kind(of: message) != .object {
                fail("messages[\(count - 1)]", "A message must be an object.")
            } else {
                readPart(message, nesting: 1)
            }
            request.prompt.boundaries.note(message.range.upperBound)
            return !hasFailed
        }
        if count == 0 { fail("messages", "'messages' must not be empty.") }
        field = ""
        element = nil
    }

    // MARK: Values

    private mutating func boolean(_ value: Node, _ name: StaticString) -> Bool {
        switch document.kind(of: value) {
        case .true: return true
        case .false: return false
        default:
            fail("\(name)", "'\(name)' must be true or false.")
            return false
        }
    }

    private mutating func integer(
        _ value: Node, _ name: StaticString, in range: ClosedRange<Int>
    ) -> Int? {
        if let number = document.scanner.integer(value.range), range ~= number { return number }
        let upper = range.upperBound == .max ? "or more" : "to \(range.upperBound)"
        fail("\(name)", "'\(name)' must be a whole number, \(range.lowerBound) \(upper).")
        return nil
    }
}
