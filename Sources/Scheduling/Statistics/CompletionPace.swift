import InferenceTypes

/// How fast requests leave, and with it how long a queue takes: the mean interval between two
/// ends, each new one weighing a tenth.
struct CompletionPace: Hashable, Sendable {
    private var last: MonotonicTime?
    private var interval: Double?

    mutating func ended(at now: MonotonicTime) {
        defer { last = now }
        guard let last else { return }
        let sample = max((now - last).seconds, 0)
        interval = interval.map { $0 + (sample - $0) * 0.1 } ?? sample
    }

    /// Time until `count` requests have left; a second each as long as nobody has.
    func time(for count: Int) -> TimeSpan {
        TimeSpan(seconds: Double(max(count, 0)) * (interval ?? 1))
    }
}
