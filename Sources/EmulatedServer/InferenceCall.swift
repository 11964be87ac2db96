import InferenceAPI

/// What a request body says, as far as an emulator cares.
struct InferenceCall {
    /// One text to work on: what it hashes to, where its answer goes on, how long it is.
    struct Input {
        var key = EmulatedText.Key()
        var position = TextPosition()
        /// ceil(bytes / 4), at least 1.
        var tokens = 1
        var text: [UInt8] = []
    }

    /// Why the server answers 400.
    struct Invalid: Error {
        var message: String
    }

    var model: String?
    var streams = false
    var includesUsage = false
    var hasContinuousUsage = false
    var maxTokens: Int?
    /// `emulated_output_tokens`: where the model stops by itself.
    var naturalTokens: Int?
    var choices = 1
    /// `stream_interval`: tokens per event.
    var tokensPerEvent = 1
    var fault: String?
    var inputs: [Input] = []
    /// `query` or the first text of a score.
    var query: [UInt8] = []
    var topN: Int?

    private var continuesFinalMessage = false
    private var addsGenerationPrompt: Bool?

    /// - Parameter continuesAlways: a trailing assistant message is always continued, as
    ///   llama-server does; vLLM wants `continue_final_message`.
    static func parse(
        _ body: [UInt8], continuesAlways: Bool
    ) throws(Invalid) -> InferenceCall {
        var call = InferenceCall()
        var failure: Invalid?
        body.withUnsafeBytes { bytes in
            let json = JSONScanner(bytes)
            do {
                let root = try json.validate(depth: JSONScanner.greatestDepth)
                guard json.kind(at: root.lowerBound) == .object else {
                    failure = Invalid(message: "The body must be a JSON object")
                    return
                }
                try call.read(json, root, continuesAlways: continuesAlways)
            } catch let error as Invalid {
                failure = error
            } catch {
                failure = Invalid(message: "The body is not valid JSON: \(error)")
            }
        }
        if let failure { throw failure }
        return call
    }

    private mutating func read(
        _ json: JSONScanner, _ root: Range<Int>, continuesAlways: Bool
    ) throws(Invalid) {
        readOptions(json, root)
        if continuesFinalMessage, addsGenerationPrompt != false {
            throw Invalid(
                message: "Cannot set both `continue_final_message` and "
                    + "`add_generation_prompt` to True.")
        }
        if let messages = json.member("messages", of: root) {
            guard json.kind(at: messages.lowerBound) == .array else {
                throw Invalid(message: "messages must be an array")
            }
            inputs = [
                conversation(
                    json, messages, continues: continuesFinalMessage || continuesAlways)
            ]
        } else if let prompt = json.member("prompt", of: root) {
            inputs = texts(json, prompt).map { text in
                let split = EmulatedText.split(prompt: text)
                return Input(
                    key: split.key, position: split.position, tokens: Self.tokens(text.count),
                    text: text)
            }
        } else if let content = json.member("content", of: root) {
            inputs = plainInputs(json, content)
        } else if let input = json.member("input", of: root) {
            inputs = plainInputs(json, input)
        }
        readPairs(json, root)
    }

    private mutating func readOptions(_ json: JSONScanner, _ root: Range<Int>) {
        var options = self
        json.forEachMember(of: root) { key, value in
            let isTrue = json.kind(at: value.lowerBound) == .true
            if json.equals(key, "model") {
                options.model = json.string(value)
            } else if json.equals(key, "stream") {
                options.streams = isTrue
            } else if json.equals(key, "max_tokens") || json.equals(key, "n_predict")
                || json.equals(key, "max_completion_tokens")
            {
                if let count = json.integer(value), count > 0 { options.maxTokens = count }
            } else if json.equals(key, "n") {
                options.choices = max(1, min(json.integer(value) ?? 1, 64))
            } else if json.equals(key, "stream_interval") {
                options.tokensPerEvent = max(1, json.integer(value) ?? 1)
            } else if json.equals(key, "emulated_output_tokens") {
                if let count = json.integer(value), count > 0 { options.naturalTokens = count }
            } else if json.equals(key, "emulated_fault") {
                options.fault = json.string(value)
            } else if json.equals(key, "top_n") {
                options.topN = json.integer(value)
            } else if json.equals(key, "continue_final_message") {
                options.continuesFinalMessage = isTrue
            } else if json.equals(key, "add_generation_prompt") {
                options.addsGenerationPrompt = isTrue
            } else if json.equals(key, "stream_options"),
                json.kind(at: value.lowerBound) == .object
            {
                options.includesUsage = Self.flag("include_usage", json, value)
                options.hasContinuousUsage = Self.flag("continuous_usage_stats", json, value)
            }
            return true
        }
        self = options
    }

    private static func flag(
        _ name: StaticString, _ json: JSONScanner, _ object: Range<Int>
    ) -> Bool {
        json.member(name, of: object).map { json.kind(at: $0.lowerBound) == .true } ?? false
    }

    // MARK: Texts

    private func conversation(
        _ json: JSONScanner, _ messages: Range<Int>, continues: Bool
    ) -> Input {
        var turns: [(role: [UInt8], text: [UInt8])] = []
        json.forEachElement(of: messages) { message in
            guard json.kind(at: message.lowerBound) == .object else { return true }
            var role: [UInt8] = []
            var text: [UInt8] = []
            json.forEachMember(of: message) { key, value in
                if json.equals(key, "role") { role = json.text(value) }
                if json.equals(key, "content") { text = Self.content(json, value) }
                return true
            }
            turns.append((role, text))
            return true
        }
        var input = Input(tokens: Self.tokens(turns.reduce(0) { $0 + $1.text.count }))
        var said: [UInt8] = []
        if continues, let last = turns.last, last.role.elementsEqual("assistant".utf8) {
            said = last.text
            turns.removeLast()
        }
        for turn in turns {
            input.key.add(turn.role)
            input.key.add(10)
            input.key.add(turn.text)
            input.key.add(10)
            input.text.append(contentsOf: turn.text)
            input.text.append(10)
        }
        if !said.isEmpty { input.position = EmulatedText.position(after: said, of: input.key) }
        return input
    }

    /// A message's text: the string, or the text parts one after the other. A part that is no
    /// text counts as 1,024 bytes of spaces, so that it costs 256 tokens.
    private static func content(_ json: JSONScanner, _ value: Range<Int>) -> [UInt8] {
        guard json.kind(at: value.lowerBound) == .array else { return json.text(value) }
        var text: [UInt8] = []
        json.forEachElement(of: value) { part in
            guard json.kind(at: part.lowerBound) == .object else { return true }
            if let words = json.member("text", of: part) {
                text += json.text(words)
            } else {
                text += [UInt8](repeating: 32, count: 1_024)
            }
            return true
        }
        return text
    }

    private func plainInputs(_ json: JSONScanner, _ value: Range<Int>) -> [Input] {
        texts(json, value).map { text in
            Input(
                key: EmulatedText.Key(text), tokens: Self.tokens(text.count), text: text)
        }
    }

    /// A text or a list of texts. Token ids count as their decimal text, four bytes each.
    private func texts(_ json: JSONScanner, _ value: Range<Int>) -> [[UInt8]] {
        switch json.kind(at: value.lowerBound) {
        case .string: return [json.text(value)]
        case .array:
            var texts: [[UInt8]] = []
            var ids: [UInt8] = []
            json.forEachElement(of: value) { element in
                switch json.kind(at: element.lowerBound) {
                case .string: texts.append(json.text(element))
                case .array: texts += self.texts(json, element)
                case .number:
                    let id = json.integer(element) ?? 0
                    withUnsafeBytes(of: UInt32(truncatingIfNeeded: id)) { ids += $0 }
                case .object, .true, .false, .null: break
                }
                return true
            }
            if !ids.isEmpty { texts.append(ids) }
            return texts
        case .object, .number, .true, .false, .null: return []
        }
    }

    /// `query` and `documents`, and the older spellings of the same.
    private mutating func readPairs(_ json: JSONScanner, _ root: Range<Int>) {
        for name in ["query", "queries", "text_1", "data_1"] as [StaticString] {
            guard let value = json.member(name, of: root) else { continue }
            query = texts(json, value).first ?? []
        }
        for name in ["documents", "items", "text_2", "data_2"] as [StaticString] {
            guard let value = json.member(name, of: root) else { continue }
            inputs = plainInputs(json, value)
        }
    }

    static func tokens(_ bytes: Int) -> Int { max(1, (bytes + 3) / 4) }
}
