import InferenceTypes

/// Walks a validated body once and fills in a `ParsedRequest`. The document is lent to every step:
/// it is neither copied nor counted.
struct RequestReader: ~Copyable {
    typealias Node = JSONDocument.Node

    /// What is filled in: whoever made the reader keeps it for as long.
    let request: UnsafeMutablePointer<ParsedRequest>
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

    init(into request: UnsafeMutablePointer<ParsedRequest>) { self.request = request }

    mutating func read(
        _ document: borrowing JSONDocument, defaultModel: String?
    ) throws(APIError) {
        request.pointee.layout.start = document.root.range.lowerBound + 1
        forEachMember(of: document.root, in: document) { reader, key, value in
            reader.request.pointee.layout.isEmptyObject = false
            reader.readField(key, value, document)
        }
        if let failure { throw failure }
        if request.pointee.model.isEmpty {
            guard let defaultModel, !defaultModel.isEmpty else {
                throw .invalid(param: "model", "You must give a 'model'.")
            }
            request.pointee.model = defaultModel
        }
        if request.pointee.task == .chat, !hasMessages {
            throw .invalid(param: "messages", "You must give 'messages'.")
        }
        request.pointee.maxOutputTokens = maxCompletionTokens ?? maxTokens
    }

    /// Walks an object's members and fails if two have the same key.
    @inline(__always)
    mutating func forEachMember(
        of object: Node, in document: borrowing JSONDocument,
        _ body: (inout RequestReader, _ key: MemberKey, _ value: Node) -> Void
    ) {
        var ledger = KeyLedger()
        document.forEachMember(of: object) { node, value in
            // Told apart here, so that a usual key is two numbers and nothing to be given back.
            if document.hasEscapes(node) {
                let key = MemberKey(node, in: document)
                note(key, in: &ledger)
                body(&self, key, value)
            } else {
                let key = MemberKey(plain: node, in: document)
                note(key, in: &ledger)
                body(&self, key, value)
            }
            return !hasFailed
        }
        if ledger.isInDoubt, !hasFailed { refuseTwins(in: object, of: document) }
    }

    @inline(__always)
    private mutating func note(_ key: MemberKey, in ledger: inout KeyLedger) {
        ledger.add(key.outset)
        if ledger.count > Self.greatestMemberCount {
            fail(path(to: key.excerpt), "An object has more members than any field needs.")
        }
    }

    private mutating func refuseTwins(in object: Node, of document: borrowing JSONDocument) {
        guard let key = KeyLedger.twin(in: object, of: document) else { return }
        fail(path(to: key.excerpt), "The key '\(key.excerpt)' is there twice.")
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

    private mutating func readField(
        _ key: MemberKey, _ value: Node, _ document: borrowing JSONDocument
    ) {
        if request.pointee.task == .classify { request.pointee.classification.note(key, value) }
        guard let field = RequestField(key) else { return }
        if case .model = field { return readModel(value, document) }
        guard document.kind(of: value) != .null else {
            if case .streamOptions = field {
                request.pointee.layout.streamOptions = .init(value: value.range, isObject: false)
            }
            return
        }
        switch field {
        case .messages:
            request.pointee.prompt.content = value.range
            readMessages(value, document)
        case .cacheSalt: request.pointee.prompt.salt = value.range
        case .session: request.pointee.prompt.note(session: value.range, key)
        case .tools:
            request.pointee.prompt.tools = value.range
            request.pointee.promptBytes += value.range.count
            request.pointee.hasTools = true
        case .prompt(let name):
            request.pointee.prompt.note(value.range, named: key)
            self.field = name
            readContent(value, nesting: 0, document)
            self.field = ""
            element = nil
        case .restricted(let name): request.pointee.restrictedFields.append("\(name)")
        default: if request.pointee.task.generates { readGeneration(field, value, document) }
        }
    }

    private mutating func readModel(_ value: Node, _ document: borrowing JSONDocument) {
        request.pointee.layout.model = value.range
        switch document.kind(of: value) {
        case .null: return
        case .string:
            let text = JSONText.unescaped(document.contents(of: value))
            guard 1...Self.greatestModelName ~= text.utf8.count else {
                return fail(
                    "model", "'model' must have 1 to \(Self.greatestModelName) bytes.")
            }
            request.pointee.model = text
        default: fail("model", "'model' must be a string.")
        }
    }

    private mutating func readGeneration(
        _ field: RequestField, _ value: Node, _ document: borrowing JSONDocument
    ) {
        switch field {
        case .stream: request.pointee.streams = boolean(value, "stream", document)
        case .streamOptions: readStreamOptions(value, document)
        case .responseFormat: request.pointee.hasResponseFormat = true
        case .logprobs: request.pointee.hasLogprobs = document.kind(of: value) != .false
        case .choices: request.pointee.choices =
                integer(value, "n", in: 1...Self.greatestChoices, document) ?? 1
        case .maxTokens: maxTokens = integer(value, "max_tokens", in: 0...Int.max, document)
        case .maxCompletionTokens:
            maxCompletionTokens = integer(
                value, "max_completion_tokens", in: 0...Int.max, document)
        case .maxOutputTokens where request.pointee.task == .responses:
            maxCompletionTokens = integer(
                value, "max_output_tokens", in: 0...Int.max, document)
        default: break
        }
    }

    private mutating func readStreamOptions(
        _ value: Node, _ document: borrowing JSONDocument
    ) {
        guard document.kind(of: value) == .object else {
            return fail("stream_options", "'stream_options' must be an object.")
        }
        var options = BodyLayout.StreamOptions(value: value.range, isObject: true)
        field = "stream_options"
        forEachMember(of: value, in: document) { reader, key, value in
            options.isEmptyObject = false
            guard key.is("include_usage") else { return }
            options.includeUsage = value.range
            guard document.kind(of: value) != .null else { return }
            reader.request.pointee.clientWantsUsage =
                reader.boolean(value, "stream_options.include_usage", document)
        }
        field = ""
        request.pointee.layout.streamOptions = options
    }

    private mutating func readMessages(_ value: Node, _ document: borrowing JSONDocument) {
        guard document.kind(of: value) == .array else {
            return fail("messages", "'messages' must be an array.")
        }
        hasMessages = true
        field = "messages"
        var count = 0
        document.forEachElement(of: value) { message in
            element = count
            count += 1
            if count > Self.greatestMessageCount {
                fail("messages", "'messages' has more than \(Self.greatestMessageCount).")
            } else if document.kind(of: message) != .object {
                fail("messages[\(count - 1)]", "A message must be an object.")
            } else {
                readPart(message, nesting: 1, document)
            }
            request.pointee.prompt.boundaries.note(message.range.upperBound)
            return !hasFailed
        }
        if count == 0 { fail("messages", "'messages' must not be empty.") }
        field = ""
        element = nil
    }

    // MARK: Values

    private mutating func boolean(
        _ value: Node, _ name: StaticString, _ document: borrowing JSONDocument
    ) -> Bool {
        switch document.kind(of: value) {
        case .true: return true
        case .false: return false
        default:
            fail("\(name)", "'\(name)' must be true or false.")
            return false
        }
    }

    private mutating func integer(
        _ value: Node, _ name: StaticString, in range: ClosedRange<Int>,
        _ document: borrowing JSONDocument
    ) -> Int? {
        if let number = document.scanner.integer(value.range), range ~= number { return number }
        let upper = range.upperBound == .max ? "or more" : "to \(range.upperBound)"
        fail("\(name)", "'\(name)' must be a whole number, \(range.lowerBound) \(upper).")
        return nil
    }
}
