import InferenceTypes

/// Token counts out of an upstream's answer. Nothing here fails: what is not there is `nil`.
public enum UnaryUsage {
    /// The usage in a whole answer. It is walked, not validated: the client is its judge.
    public static func parse(_ body: UnsafeRawBufferPointer, task: InferenceTask) -> Usage {
        let scanner = JSONScanner(body)
        var usage: Range<Int>?
        var count: Range<Int>?
        let isWhole = scanner.walkRoot { key, value in
            // Both names have five letters.
            guard key.count == 5 else { return true }
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
            note(key, value, scanner, in: &usage)
            return true
        }
        return usage
    }

    /// Names of one length are told apart by their letters, all others by their length alone.
    @inline(__always)
    private static func note(
        _ key: Range<Int>, _ value: Range<Int>, _ scanner: JSONScanner, in usage: inout Usage
    ) {
        switch key.count {
        case 13 where scanner.equals(key, "prompt_tokens"),
            12 where scanner.equals(key, "input_tokens"):
            usage.inputTokens = tokens(value, scanner) ?? usage.inputTokens
        case 17 where scanner.equals(key, "completion_tokens"),
            13 where scanner.equals(key, "output_tokens"):
            usage.outputTokens = tokens(value, scanner) ?? usage.outputTokens
        case 21 where scanner.equals(key, "prompt_tokens_details"),
            20 where scanner.equals(key, "input_tokens_details"):
            guard scanner.kind(at: value.lowerBound) == .object else { return }
            usage.cachedInputTokens =
                scanner.member("cached_tokens", of: value).flatMap { tokens($0, scanner) }
        default: break
        }
    }

    private static func tokens(_ value: Range<Int>, _ scanner: JSONScanner) -> Int? {
        // Text that nobody validated may end where the value should be.
        guard !value.isEmpty, value.lowerBound >= 0, value.upperBound <= scanner.bytes.count
        else { return nil }
        // Digits that cannot overflow, as counts are.
        if value.count <= 18 {
            var count = 0
            var offset = value.lowerBound
            while offset < value.upperBound {
                let digit = scanner.bytes[offset] &- UInt8(ascii: "0")
                if digit > 9 { break }
                count = count &* 10 &+ Int(digit)
                offset &+= 1
            }
            if offset == value.upperBound { return count }
        }
        guard let count = scanner.integer(value), count >= 0 else { return nil }
        return count
    }
}
