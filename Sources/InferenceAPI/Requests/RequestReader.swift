import InferenceTypes

/// Walks a validated body once and fills in a `ParsedRequest`.
struct RequestReader {
    let scanner: JSONScanner
    var request: ParsedRequest
    var ledger = KeyLedger()
    /// The first thing found wrong. Walks stop at it; closures cannot throw through them.
    var failure: APIError?
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

    init(_ scanner: JSONScanner, task: InferenceTask) {
        self.scanner = scanner
        request = ParsedRequest(task: task)
    }

    mutating func read(
        _ body: Range<Int>, defaultModel: String?
    ) throws(APIError) -> ParsedRequest {
        request.layout.start = body.lowerBound + 1
        forEachMember(of: body) { reader, key, value in
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
    mutating func forEachMember(
        of object: Range<Int>,
        _ body: (inout RequestReader, _ key: MemberKey, _ value: Range<Int>) -> Void
    ) {
        let scanner = scanner
        let mark = ledger.open()
        scanner.forEachMember(of: object) { range, value in
            let key = MemberKey(range, in: scanner)
            ledger.add(key, at: range)
            if ledger.count(since: mark) > Self.greatestMemberCount {
                fail(path(to: key.excerpt), "An object has more members than any field needs.")
            }
            body(&self, key, value)
            return failure == nil
        }
        if let key = ledger.close(mark, in: scanner), failure == nil {
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
        if failure == nil { failure = .invalid(param: param, message) }
    }

    // MARK: Top-level fields

    private mutating func readField(_ key: MemberKey, _ value: Range<Int>) {
        if key.is("model") { return readModel(value) }
        guard scanner.kind(at: value.lowerBound) != .null else {
            if key.is("stream_options") {
                request.layout.streamOptions = .init(value: value, isObject: false)
            }
            return
        }
        if readPrompt(key, value) || readRestricted(key) { return }
        if request.task.generates { readGeneration(key, value) }
    }

    private mutating func readModel(_ value: Range<Int>) {
        request.layout.model = value
        switch scanner.kind(at: value.lowerBound) {
        case .null: return
        case .string:
            let text = JSONText.unescaped(contents(of: value))
            guard 1...Self.greatestModelName ~= text.utf8.count else {
                return fail(
                    "model", "'model' must have 1 to \(Self.greatestModelName) bytes.")
            }
            request.model = text
        default: fail("model", "'model' must be a string.")
        }
    }

    /// Fields that hold prompt text or media. False if the key is none of them.
    private mutating func readPrompt(_ key: MemberKey, _ value: Range<Int>) -> Bool {
        if key.is("messages") {
            readMessages(value)
            return true
        }
        if key.is("tools") || key.is("functions") {
            request.promptBytes += value.count
            request.hasTools = true
            return true
        }
        guard let name = Self.promptFields.first(where: { key.is($0) }) else { return false }
        field = name
        readContent(value, nesting: 0)
        field = ""
        element = nil
        return true
    }

    private static let promptFields: [StaticString] = [
        "prompt", "input", "query", "documents", "instructions", "suffix",
        "queries", "items", "data_1", "data_2", "text_1", "text_2",
    ]

    /// Fields with which a client reaches into the model server itself.
    private mutating func readRestricted(_ key: MemberKey) -> Bool {
        guard let name = Self.restrictedFields.first(where: { key.is($0) }) else { return false }
        request.restrictedFields.append("\(name)")
        return true
    }

    private static let restrictedFields: [StaticString] = [
        "chat_template", "kv_transfer_params", "vllm_xargs",
    ]

    private mutating func readGeneration(_ key: MemberKey, _ value: Range<Int>) {
        if key.is("stream") {
            request.streams = boolean(value, "stream")
        } else if key.is("stream_options") {
            readStreamOptions(value)
        } else if key.is("response_format") {
            request.hasResponseFormat = true
        } else if key.is("logprobs") {
            request.hasLogprobs = scanner.kind(at: value.lowerBound) != .false
        } else if key.is("n") {
            request.choices = integer(value, "n", in: 1...Self.greatestChoices) ?? 1
        } else if key.is("max_tokens") {
            maxTokens = integer(value, "max_tokens", in: 0...Int.max)
        } else if key.is("max_completion_tokens") {
            maxCompletionTokens = integer(value, "max_completion_tokens", in: 0...Int.max)
        } else if key.is("max_output_tokens"), request.task == .responses {
            maxCompletionTokens = integer(value, "max_output_tokens", in: 0...Int.max)
        }
    }

    private mutating func readStreamOptions(_ value: Range<Int>) {
        guard scanner.kind(at: value.lowerBound) == .object else {
            return fail("stream_options", "'stream_options' must be an object.")
        }
        var options = BodyLayout.StreamOptions(value: value, isObject: true)
        field = "stream_options"
        forEachMember(of: value) { reader, key, value in
            options.isEmptyObject = false
            guard key.is("include_usage") else { return }
            options.includeUsage = value
            guard reader.scanner.kind(at: value.lowerBound) != .null else { return }
            reader.request.clientWantsUsage =
                reader.boolean(value, "stream_options.include_usage")
        }
        field = ""
        request.layout.streamOptions = options
    }

    private mutating func readMessages(_ value: Range<Int>) {
        guard scanner.kind(at: value.lowerBound) == .array else {
            return fail("messages", "'messages' must be an array.")
        }
        hasMessages = true
        field = "messages"
        let scanner = scanner
        var count = 0
        scanner.forEachElement(of: value) { message in
            element = count
            count += 1
            if count > Self.greatestMessageCount {
                fail("messages", "'messages' has more than \(Self.greatestMessageCount).")
            } else if scanner.kind(at: message.lowerBound) != .object {
                fail("messages[\(count - 1)]", "A message must be an object.")
            } else {
                readPart(message, nesting: 1)
            }
            return failure == nil
        }
        if count == 0 { fail("messages", "'messages' must not be empty.") }
        field = ""
        element = nil
    }

    // MARK: Values

    /// The bytes between a string's quotes.
    func contents(of string: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: scanner.bytes[string.dropFirst().dropLast()])
    }

    private mutating func boolean(_ value: Range<Int>, _ name: String) -> Bool {
        switch scanner.kind(at: value.lowerBound) {
        case .true: return true
        case .false: return false
        default:
            fail(name, "'\(name)' must be true or false.")
            return false
        }
    }

    private mutating func integer(
        _ value: Range<Int>, _ name: String, in range: ClosedRange<Int>
    ) -> Int? {
        if let number = scanner.integer(value), range ~= number { return number }
        let upper = range.upperBound == .max ? "or more" : "to \(range.upperBound)"
        fail(name, "'\(name)' must be a whole number, \(range.lowerBound) \(upper).")
        return nil
    }
}
