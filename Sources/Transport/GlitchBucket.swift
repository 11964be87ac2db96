import InferenceTypes

/// Judges the rate of an HTTP/2 connection's suspicious frames: malformed requests, resets that
/// they cause, pings, settings, priorities, empty and unknown frames, window updates without need.
/// A bucket that holds ``Limits/glitches`` of them and leaks ``Limits/glitchesPerSecond``; a
/// request that ended well takes one along too, so that a busy client may send one with each.
///
/// A second one judges the handshakes that a TLS client begins on a connection.
///
/// A peer's own resets are not counted here but by ``ResetRule``: to cancel is no mistake.
struct GlitchBucket {
    private let capacity: Double
    private let leakPerSecond: Double
    private var level = 0.0
    private var counted = 0
    private var updated: MonotonicTime

    init(_ limits: Limits, at now: MonotonicTime) {
        capacity = Double(limits.glitches)
        leakPerSecond = Double(limits.glitchesPerSecond)
        updated = now
    }

    /// `total` is the session's count since it began. True if too many came too fast.
    mutating func overflows(total: Int, at now: MonotonicTime) -> Bool {
        guard total != counted else { return false }
        let leaked = (now - updated).seconds * leakPerSecond
        level = max(0, level - leaked) + Double(total - counted)
        counted = total
        updated = now
        return level > capacity
    }

    /// What was counted up to here is nobody's fault.
    mutating func forgive(total: Int) { counted = total }

    mutating func requestEndedWell() { level = max(0, level - 1) }
}
