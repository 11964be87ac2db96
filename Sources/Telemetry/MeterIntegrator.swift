import InferenceTypes

/// Turns the readings of one meter into windows that follow each other without a gap.
///
/// A counter is preferred: its differences are exact to the sensor, whenever they are read. A
/// window ends where the counter was seen to change, not where it was asked, so that an exporter
/// that refreshes every 30 s gives windows of 30 s and no empty ones between. Without a counter the
/// power is integrated by trapezoids.
///
/// Left out: readings that lack a part (unless that many in a row do: then the part is gone), are
/// beyond belief (a difference above 1.2 times what the meter's parts can draw) or come a second
/// time. When the last good reading is older than
/// 30 s, or one and a half of the exporter's own intervals if those are longer, the model speaks:
/// windows are marked imputed. A counter that comes back settles them (recovered), for it has
/// counted on; a reset, or a gauge, leaves them as they are (conceded).
///
/// Worked, a counter read every second: 1 000 J at 0 s, 1 000 J at 1 s (not refreshed), 1 600 J at
/// 5 s: a window of 0 to 5 s with 600 J. 200 J at 6 s is a reset: 5 to 6 s is imputed.
public struct MeterIntegrator: Sendable {
    public struct Rules: Hashable, Sendable {
        /// No window is shorter; averages below this say nothing of sensors that look a quarter of
        /// the time.
        public var shortest = TimeSpan.seconds(5)
        public var staleness = TimeSpan.seconds(30)
        /// A silence longer than this is conceded, piece by piece.
        public var longestSilence = TimeSpan.seconds(600)
        public var headroom = 1.2
        /// So many readings in a row that lack a part mean that it is no longer there.
        public var partlyInARow = 12

        public init() {}
    }

    public enum State: String, CaseIterable, Sendable {
        /// No reading yet.
        case waiting
        case live
        /// The last good reading is too old.
        case silent
    }

    public private(set) var state = State.waiting
    /// When the counter was last seen to change, or the power was last read.
    public private(set) var goodAt: MonotonicTime?
    public private(set) var resets = 0
    /// Readings left out because they were beyond belief or lacked a part.
    public private(set) var rejected = 0

    private let meter: MeterID
    private let provenance: Provenance
    /// What one part can draw.
    private let ceiling: Watts
    private let rules: Rules

    private var parts = 0
    /// Readings in a row that lacked a part.
    private var partly = 0
    private var readAt: MonotonicTime
    private var tickedAt: MonotonicTime
    private var start: MonotonicTime
    /// What the open window has counted so far.
    private var energy = Microjoules.zero
    /// The counter's last value; `nil` while the power is integrated.
    private var counter: Microjoules?
    private var power: Watts?
    private var trapezoids = 0.0
    /// A value that was too high to believe; if the next one follows it, the counter has jumped.
    private var jump: Microjoules?
    private var cadence = TimeSpan.zero
    /// The silence: where it began, how far it is imputed, and whether a counter spans it.
    private var silentFrom = MonotonicTime.zero
    private var imputedTo = MonotonicTime.zero
    private var isSpanned = false

    /// `start`: the clock's present reading.
    public init(
        meter: MeterID, provenance: Provenance, ceiling: Watts, rules: Rules = Rules(),
        at start: MonotonicTime
    ) {
        self.meter = meter
        self.provenance = provenance
        self.ceiling = ceiling
        self.rules = rules
        readAt = start
        tickedAt = start
        self.start = start
    }

    /// Takes a reading made at `now` and appends the windows that it closes.
    public mutating func take(
        _ reading: PowerReading, at now: MonotonicTime, into windows: inout [MeterWindow]
    ) {
        guard now > readAt || state == .waiting, now >= tickedAt else { return }
        readAt = now
        guard !reading.isSuspect, isComplete(reading) else {
            if reading.parts > 0 { rejected += 1 }
            tick(at: now, into: &windows)
            return
        }
        if let energy = reading.energy, energy.value >= 0, energy.value.isFinite {
            takeCounter(Microjoules(energy), reading, at: now, into: &windows)
        } else if counter == nil || state == .silent, let power = reading.power,
            power.value >= 0, power.value <= ceiling.value * Double(reading.parts)
        {
            takePower(power, reading, at: now, into: &windows)
        } else {
            rejected += 1
        }
        tick(at: now, into: &windows)
    }

    private mutating func isComplete(_ reading: PowerReading) -> Bool {
        guard reading.parts > 0 else { return false }
        guard reading.parts < parts else {
            partly = 0
            return true
        }
        partly += 1
        guard partly >= rules.partlyInARow else { return false }
        partly = 0
        return true
    }

    /// Lets time pass: notices a silence, and has the model speak in it.
    public mutating func tick(at now: MonotonicTime, into windows: inout [MeterWindow]) {
        tickedAt = max(tickedAt, now)
        switch state {
        case .waiting:
            if now - start > rules.staleness { fallSilent(from: start, isSpanned: false) }
        case .live:
            guard let goodAt, now - goodAt > staleness else { return }
            closeWindow(at: goodAt, into: &windows)
            fallSilent(from: goodAt, isSpanned: counter != nil)
        case .silent: break
        }
        guard state == .silent, now - imputedTo >= rules.shortest else { return }
        append(.imputed, from: imputedTo, to: now, .zero, &windows)
        imputedTo = now
        guard now - silentFrom > rules.longestSilence else { return }
        append(.conceded, from: silentFrom, to: now, .zero, &windows)
        fallSilent(from: now, isSpanned: false)
    }

    /// How old the last good reading may be: an exporter of long intervals is given its time.
    private var staleness: TimeSpan {
        let own = TimeSpan(seconds: min(cadence.seconds, 60) * 1.5)
        return max(rules.staleness, own)
    }

    // MARK: Counters

    private mutating func takeCounter(
        _ value: Microjoules, _ reading: PowerReading, at now: MonotonicTime,
        into windows: inout [MeterWindow]
    ) {
        guard let last = counter, let goodAt, reading.parts == parts else {
            restart(reading, counter: value, at: now, into: &windows)
            return
        }
        let difference = value - last
        guard difference.value != 0 else { return }
        let elapsed = now - goodAt
        guard difference.value > 0 else {
            resets += 1
            restart(reading, counter: value, at: now, into: &windows)
            return
        }
        guard isBelievable(difference, in: elapsed) else {
            rejected += 1
            if let jump, value.value >= jump.value, isBelievable(value - jump, in: elapsed) {
                resets += 1
                restart(reading, counter: value, at: now, into: &windows)
            } else {
                jump = value
            }
            return
        }
        jump = nil
        counter = value
        if state == .silent {
            append(.imputed, from: imputedTo, to: now, .zero, &windows)
            append(
                isSpanned ? .recovered : .conceded, from: silentFrom, to: now,
                isSpanned ? difference : .zero, &windows)
            // An exporter of longer intervals looks like this: let it have its time from now on.
            if isSpanned { cadence = elapsed }
            begin(at: now)
            return
        }
        cadence = elapsed
        energy += difference
        self.goodAt = now
        if now - start >= rules.shortest { closeWindow(at: now, into: &windows) }
    }

    private func isBelievable(_ difference: Microjoules, in elapsed: TimeSpan) -> Bool {
        let most = ceiling.value * Double(parts) * elapsed.seconds * rules.headroom
        return difference.joules.value <= most
    }

    // MARK: Power

    private mutating func takePower(
        _ value: Watts, _ reading: PowerReading, at now: MonotonicTime,
        into windows: inout [MeterWindow]
    ) {
        guard state == .live, counter == nil, let last = power, let goodAt, reading.parts == parts
        else {
            restart(reading, counter: nil, at: now, into: &windows)
            power = value
            return
        }
        guard now - goodAt <= staleness else { return }
        trapezoids += (last.value + value.value) / 2 * (now - goodAt).seconds
        power = value
        self.goodAt = now
        if now - start >= rules.shortest { closeWindow(at: now, into: &windows) }
    }

    // MARK: Windows

    /// A new beginning: what lies between the last good reading and now is the model's to say.
    private mutating func restart(
        _ reading: PowerReading, counter value: Microjoules?, at now: MonotonicTime,
        into windows: inout [MeterWindow]
    ) {
        if state == .live, let goodAt {
            closeWindow(at: goodAt, into: &windows)
            fallSilent(from: goodAt, isSpanned: false)
        }
        if state == .silent {
            append(.imputed, from: imputedTo, to: now, .zero, &windows)
            append(.conceded, from: silentFrom, to: now, .zero, &windows)
        }
        parts = reading.parts
        counter = value
        power = nil
        jump = nil
        begin(at: now)
    }

    private mutating func begin(at now: MonotonicTime) {
        state = .live
        start = now
        goodAt = now
        energy = .zero
        trapezoids = 0
    }

    private mutating func fallSilent(from: MonotonicTime, isSpanned: Bool) {
        state = .silent
        silentFrom = from
        imputedTo = from
        self.isSpanned = isSpanned
    }

    private mutating func closeWindow(at end: MonotonicTime, into windows: inout [MeterWindow]) {
        guard end > start else { return }
        let counted = counter == nil ? Microjoules(Joules(trapezoids)) : energy
        append(.metered, from: start, to: end, counted, &windows)
        start = end
        energy = .zero
        trapezoids = 0
    }

    private func append(
        _ kind: MeterWindow.Kind, from start: MonotonicTime, to end: MonotonicTime,
        _ energy: Microjoules, _ windows: inout [MeterWindow]
    ) {
        guard end > start else { return }
        let word = kind == .metered || kind == .recovered ? provenance : .modelled
        windows.append(
            MeterWindow(
                meter: meter, start: start, end: end, energy: energy, provenance: word,
                kind: kind))
    }
}
