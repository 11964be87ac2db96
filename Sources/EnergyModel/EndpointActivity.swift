import InferenceTypes

/// What one endpoint did between two moments: the regressors of its energy.
///
///     energy above idle = sum of iterations[B] E*(B) + c_p prefillTokens + e2 kv kvTokenSteps
///
/// Worked: two sequences that decode side by side for one second in steps of 10 ms, after a prompt
/// of 1 155 tokens: `iterations[2] = 100`, `prefillTokens = 1 155`; with 1 200 tokens of context
/// each, `kvTokenSteps = 100 x 2 400`.
public struct EndpointActivity: Hashable, Sendable {
    public var span: TimeSpan
    /// By batch B, our sequences and those of others: decode iterations run at it, which is the
    /// output tokens that came of it over B. Index 0 is never used; a batch beyond the end is
    /// booked at the end.
    public var iterations: [Double]
    /// Uncached, spread over the time that computing them is predicted to take.
    public var prefillTokens: Double
    /// Tokens of context read, summed over iterations and sequences.
    public var kvTokenSteps: Double
    /// How long nothing was in flight, ours or foreign.
    public var idle: TimeSpan
    /// Idle for the whole span and for 5 s before it: the idle power is all that was drawn.
    public var isQuiet: Bool

    /// `capacity`: the largest batch that one iteration can run.
    public init(capacity: Int) {
        span = .zero
        iterations = Array(repeating: 0, count: max(capacity, 0) + 1)
        prefillTokens = 0
        kvTokenSteps = 0
        idle = .zero
        isQuiet = true
    }

    /// One after the other.
    public static func += (a: inout EndpointActivity, b: EndpointActivity) {
        a.span = a.span + b.span
        if a.iterations.count < b.iterations.count {
            a.iterations += Array(
                repeating: 0, count: b.iterations.count - a.iterations.count)
        }
        for batch in b.iterations.indices { a.iterations[batch] += b.iterations[batch] }
        a.prefillTokens += b.prefillTokens
        a.kvTokenSteps += b.kvTokenSteps
        a.idle = a.idle + b.idle
        a.isQuiet = a.isQuiet && b.isQuiet
    }

    /// What was added since `earlier`, a former state of the same sum. `isQuiet` is left to the
    /// caller, who knows when the span began.
    public func since(_ earlier: EndpointActivity) -> EndpointActivity {
        var difference = self
        difference.span = span - earlier.span
        for batch in iterations.indices where earlier.iterations.indices.contains(batch) {
            difference.iterations[batch] = max(iterations[batch] - earlier.iterations[batch], 0)
        }
        difference.prefillTokens = max(prefillTokens - earlier.prefillTokens, 0)
        difference.kvTokenSteps = max(kvTokenSteps - earlier.kvTokenSteps, 0)
        difference.idle = idle - earlier.idle
        difference.isQuiet = difference.idle == difference.span
        return difference
    }
}
