import InferenceTypes

/// What an exporter says of the clocks behind a meter. nil: nothing.
public struct ClockReading: Hashable, Sendable {
    /// MHz, of the slowest part.
    public var frequency: Double?
    /// What a board is allowed to draw, of the part that is allowed least.
    public var limit: Watts?
    /// Of an NPU, of the slowest part: P2 and P4 are nominal, P6 half, P12 the least.
    public var state: Int?

    public init(frequency: Double? = nil, limit: Watts? = nil, state: Int? = nil) {
        self.frequency = frequency
        self.limit = limit
        self.state = state
    }
}

/// Tells from clocks as they come whether an accelerator now runs at other settings than before, so
/// that other curves hold: somebody locked its clocks, or moved its power limit.
///
/// A clock follows the load, a setting does not: what counts is the highest clock of the last two
/// minutes, without those of an idle chip (below 0.4 of the highest ever seen). It has changed if
/// it is 12 % off: a chip that its power limit slows down now and then still reaches its highest
/// clock in between. Settings that were seen before are recognised, up to eight.
///
/// Worked, MHz: 1,980 and 345 when idle; locked to 1,410, which is 29 % below: once the last 1,980
/// is two minutes old the label changes, and changes back with the first 1,980.
public struct ClockLabel: Sendable {
    public struct Rules: Hashable, Sendable {
        public var memory = TimeSpan.seconds(120)
        public var tolerance = 0.12
        public var idleShare = 0.4

        public init() {}
    }

    private struct Setting: Hashable {
        var frequency: Double?
        var limit: Int?
        var state: Int?
    }

    private static let mostSettings = 8
    /// Two readings in a second say the same.
    private static let mostReadings = 128

    /// 0: as at the start. Equal labels mean equal settings.
    public private(set) var label: UInt64 = 0
    private let rules: Rules
    private var highest = 0.0
    private var recent: [(frequency: Double, at: MonotonicTime)] = []
    private var firstAt: MonotonicTime?
    private var settings: [(setting: Setting, label: UInt64)] = []
    private var labels: UInt64 = 0
    private var limit: Int?
    private var state: Int?

    public init(_ rules: Rules = Rules()) { self.rules = rules }

    /// True if the label is another one now.
    public mutating func take(_ reading: ClockReading, at now: MonotonicTime) -> Bool {
        if let watts = reading.limit { limit = Int(clamping: watts.value) }
        // P14 is off or asleep: no setting of work.
        if let word = reading.state, word < 14 { state = word }
        if let frequency = reading.frequency { note(frequency, at: now) }
        guard limit != nil || state != nil || !recent.isEmpty else { return false }
        let next = label(of: Setting(frequency: ceiling(at: now), limit: limit, state: state))
        guard next != label else { return false }
        label = next
        return true
    }

    private mutating func note(_ frequency: Double, at now: MonotonicTime) {
        guard frequency.isFinite, frequency > 0 else { return }
        highest = max(highest, frequency)
        guard frequency >= highest * rules.idleShare else { return }
        firstAt = firstAt ?? now
        if let last = recent.last, now - last.at < .seconds(1) {
            recent[recent.count - 1].frequency = max(last.frequency, frequency)
            return
        }
        // Only while it works does time pass: after a night of idling the clock of before counts.
        recent.removeAll { now - $0.at > rules.memory }
        if recent.count >= Self.mostReadings { recent.removeFirst() }
        recent.append((frequency, now))
    }

    /// `nil` before there is enough to tell.
    private func ceiling(at now: MonotonicTime) -> Double? {
        guard let firstAt, now - firstAt >= rules.memory else { return nil }
        return recent.map(\.frequency).max()
    }

    private mutating func label(of setting: Setting) -> UInt64 {
        if let known = settings.firstIndex(where: { isSame($0.setting, setting) }) {
            // What was not known of it then.
            if settings[known].setting.frequency == nil {
                settings[known].setting.frequency = setting.frequency
            }
            return settings[known].label
        }
        if settings.count >= Self.mostSettings { settings.removeFirst() }
        let new = labels
        labels += 1
        settings.append((setting, new))
        return new
    }

    private func isSame(_ known: Setting, _ other: Setting) -> Bool {
        guard known.limit == other.limit, known.state == other.state else { return false }
        guard let one = known.frequency, let two = other.frequency else { return true }
        return (one - two).magnitude <= max(one, two) * rules.tolerance
    }
}

extension Int {
    /// The nearest whole number; what is out of bounds, or none, is held to them.
    fileprivate init(clamping value: Double) {
        guard value.isFinite else {
            self = 0
            return
        }
        self = Int(Swift.min(Swift.max(value.rounded(), -1e15), 1e15))
    }
}
