/// Where in a body the members lie that the gateway may rewrite.
struct BodyLayout: Sendable {
    /// One past the body's opening brace.
    var start = 0
    var isEmptyObject = true
    /// The model's value, which is a string or null.
    var model: Range<Int>?
    var streamOptions: StreamOptions?

    struct StreamOptions: Sendable {
        var value: Range<Int>
        /// False for null.
        var isObject: Bool
        var isEmptyObject = true
        /// The value of `include_usage`.
        var includeUsage: Range<Int>?
    }
}
