import InferenceTypes

/// Token counts out of an upstream's answer. Nothing here fails: what is not there is `nil`.
public enum UnaryUsage {
    /// The usage in a whole answer. It is walked, not validated: the client is its judge.
    public static func parse(_ body: UnsafeRawBufferPointer, task: InferenceTask) -> Usage {
        let scanner = JSONScanner(body)
        var usage: Range<Int>?
        var count: Range<Int>?
        let isWhole = scanner.walkRoot { key, value in
            if usage == nil, scanner.equals(key, "usage") {
                usage = value
            } else if count == nil, scanner.equals(key, "count") {
                count = value
            }
            return true
        }
        guard isWhole else { return Usage() }
        if let usage { return self.usage(at: usage, in: scanner) }
        // vLLM's tokenizer endpoint counts outside a usage object.
        guard task == .tokenize, let count else { return Usage() }
        return Usage(inputTokens: tokens(count, scanner))
    }

    /// The usage in the usage object at `range`; null and other kinds say nothing.
    public static func usage(at range: Range<Int>, in scanner: JSONScanner) -> Usage {
        var usage = Usage()
        guard range.lowerBound >= 0, range.upperBound <= scanner.bytes.count,
            scanner.kind(at: range.lowerBound) == .object
        else { return usage }
        scanner.forEachMember(of: range) { key, value in
            guard value.upperBound <= scanner.bytes.count else { return false }
            if scanner.equals(key, "prompt_tokens") || scanner.equals(key, "input_tokens") {
                usage.inputTokens = tokens(value, scanner) ?? usage.inputTokens
            } else if scanner.equals(key, "completion_tokens")
                || scanner.equals(key, "output_tokens")
            {
                usage.outputTokens = tokens(value, scanner) ?? usage.outputTokens
            } else if scanner.equals(key, "prompt_tokens_details")
                || scanner.equals(key, "input_tokens_details")
            {
                guard scanner.kind(at: value.lowerBound) == .object else { return true }
                usage.cachedInputTokens =
                    scanner.member("cached_tokens", of: value).flatMap { tokens($0, scanner) }
            }
            return true
        }
        return usage
    }

    private static func tokens(_ value: Range<Int>, _ scanner: JSONScanner) -> Int? {
        // Text that nobody validated may end where the value should be.
        guard !value.isEmpty, value.upperBound <= scanner.bytes.count,
            let count = scanner.integer(value), count >= 0
        else { return nil }
        return count
    }
}
