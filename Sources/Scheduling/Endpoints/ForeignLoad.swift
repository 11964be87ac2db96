import InferenceTypes

/// Sequences on an endpoint that did not come from us: what its metrics page says it has, less
/// what we have there. Our own are counted at dispatch and are never stale.
struct ForeignLoad: Hashable, Sendable {
    private var sequences = 0
    private var at = MonotonicTime(nanoseconds: .min)
    private(set) var kvUsage: Double?
    private let lifetime: TimeSpan

    init(lifetime: TimeSpan) { self.lifetime = lifetime }

    /// `max(0, running + waiting - own)`. Worked: 12 + 3 scraped, 10 of ours: 5.
    /// A page older than the one before is dropped.
    mutating func observe(_ load: Scheduler.ScrapedLoad, own: Int) {
        guard load.at >= at else { return }
        at = load.at
        kvUsage = load.kvUsage
        let (total, overflow) = max(load.running, 0).addingReportingOverflow(
            max(load.waiting, 0))
        sequences = min(max((overflow ? .max : total) - own, 0), 1 << 20)
    }

    /// True if the last page showed none, whatever its age.
    var isNone: Bool { sequences == 0 }

    /// Zero once the page is too old to be believed.
    func sequences(at now: MonotonicTime) -> Int {
        sequences == 0 || now - at > lifetime ? 0 : sequences
    }
}
