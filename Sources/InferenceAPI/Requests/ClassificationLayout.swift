/// Where the members of a classification request lie that the gateway reads itself.
public struct ClassificationLayout: Sendable {
    public internal(set) var input: Range<Int>?
    public internal(set) var messages: Range<Int>?
    /// Of `/v1/decisions`.
    public internal(set) var questions: Range<Int>?
    /// True if a member says how the model is to be run: such a request goes upstream alone, since
    /// a batch has one such member for all.
    public internal(set) var hasOptions = false

    /// Notes a top-level member.
    @inline(__always)
    mutating func note(_ key: MemberKey, _ value: JSONDocument.Node) {
        switch key.count {
        case 5 where key.is("input"): input = value.range
        case 8 where key.is("messages"): messages = value.range
        case 9 where key.is("questions"): questions = value.range
        // Who asks and what for changes no verdict.
        case 5 where key.is("model"), 4 where key.is("user"), 10 where key.is("request_id"),
            17 where key.is("safety_identifier"):
            break
        default: hasOptions = true
        }
    }
}
