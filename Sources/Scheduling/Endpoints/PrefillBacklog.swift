import InferenceTypes

/// The prompts that an endpoint has still to compute, and how much of its time that takes.
///
/// The backlog is a clock: a prompt placed now is done `max(now, done) + pre`. What is queued is
/// `Q = done - now`. First tokens that come sooner than predicted pull the clock back: no more
/// can be left than the prompts still waited for.
///
/// Utilisation is a mean with a memory of `window`: each prompt adds `pre / window`, and it
/// decays as `exp(-t / window)`. At `r` prompts per second it settles at `r x pre`.
/// Worked, window 8 s: one prompt of 0.4 s: 0.05; 8 s later 0.0184.
///
/// What was accepted recently is the same with a memory of a second, in seconds: it tells a burst
/// from the same work spread out.
struct PrefillBacklog: Hashable, Sendable {
    private var done = MonotonicTime(nanoseconds: .min)
    /// Prompts whose first token has not been seen.
    private var awaited = TimeSpan.zero
    /// Of these, those whose first token will be seen when it comes: of whole answers nothing is
    /// seen before the end.
    private(set) var visible = TimeSpan.zero
    private var share = 0.0
    private var shareAt = MonotonicTime.zero
    private var burst = 0.0
    private let window: TimeSpan
    static let burstWindow = TimeSpan.seconds(1)

    init(window: TimeSpan) { self.window = max(window, .milliseconds(1)) }

    /// True if no prompt is waited for.
    var isEmpty: Bool { awaited == .zero }

    /// True if this prompt, which has been placed, is the only one.
    func isWaiting(onlyFor prefill: TimeSpan) -> Bool { awaited <= prefill }

    func queued(at now: MonotonicTime) -> TimeSpan { max(done - now, .zero) }

    func utilisation(at now: MonotonicTime) -> Double {
        guard share > 0 else { return 0 }
        let elapsed = max((now - shareAt).seconds, 0)
        return share * Mathematics.exp(-elapsed / window.seconds)
    }

    func recent(at now: MonotonicTime) -> TimeSpan {
        guard burst > 0 else { return .zero }
        let elapsed = max((now - shareAt).seconds, 0)
        return TimeSpan(
            seconds: burst * Mathematics.exp(-elapsed / Self.burstWindow.seconds))
    }

    mutating func placed(_ prefill: TimeSpan, isVisible: Bool = true, at now: MonotonicTime) {
        guard prefill > .zero else { return }
        if isVisible { visible = visible + prefill }
        done = max(done, now) + prefill
        awaited = awaited + prefill
        burst = recent(at: now).seconds + prefill.seconds
        share = utilisation(at: now) + prefill.seconds / window.seconds
        shareAt = now
    }

    /// The prompt's first token came, or its request ended without one.
    mutating func settled(_ prefill: TimeSpan, isVisible: Bool = true, at now: MonotonicTime) {
        if isVisible { visible = max(visible - prefill, .zero) }
        awaited = max(awaited - prefill, .zero)
        done = min(done, now + awaited)
    }
}
