import InferenceTypes

/// Judges how the streams of an HTTP/2 connection end. Work that a client cancels as soon as it
/// was begun costs us and the model servers as much as any, and the client nothing.
///
/// Two rules, each enough to end a connection:
///
/// - A budget as large as the number of streams that may be open at once, so that a client may give
///   up all that it has open. A stream that the client resets, or makes us reset by breaking the
///   protocol, takes one; a stream that ends well gives two back. One would leave a client that
///   cancels every other request to the luck of the draw: sooner or later a run of cancels would
///   empty any budget.
/// - Among the last streams, of which there must be ``Limits/earlyResetStreams``, more than
///   ``Limits/earlyResetPercent`` were reset before the age of ``Limits/earlyReset``. As many as
///   may be open at once, or a fifth of the former number, come on top, for the same reason.
struct ResetRule {
    private let most: Int
    private let margin: Int
    private let youth: TimeSpan
    private let window: Int
    private let percent: Int

    private var budget: Int
    private var ended = 0
    private var early = 0

    init(_ limits: Limits) {
        most = limits.concurrentStreams
        margin = max(limits.concurrentStreams, limits.earlyResetStreams / 5)
        youth = limits.earlyReset
        window = limits.earlyResetStreams
        percent = limits.earlyResetPercent
        budget = most
    }

    /// Too many resets: the connection must end.
    var isBroken: Bool {
        budget < 0 || (ended >= window && early - margin > ended * percent / 100)
    }

    mutating func endedWell() {
        budget = min(most, budget + 2)
        note(isEarly: false)
    }

    /// Neither to the client's credit nor to its debit: a model server failed.
    mutating func failedByUs() { note(isEarly: false) }

    /// The client reset a stream of this age, or broke the protocol on it.
    mutating func reset(age: TimeSpan) {
        budget -= 1
        note(isEarly: age < youth)
    }

    /// Resets of streams whose answers were already on their way.
    mutating func late(_ count: Int) { budget -= count }

    /// Old streams weigh less and less: both counts are halved from time to time.
    private mutating func note(isEarly: Bool) {
        ended += 1
        if isEarly { early += 1 }
        if ended >= 2 * window {
            ended /= 2
            early /= 2
        }
    }
}
