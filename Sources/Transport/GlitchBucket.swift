import InferenceTypes

/// Judges the rate of a connection's suspicious but legal frames: resets, pings, settings, empty
/// frames, malformed requests. A bucket that holds 2000 of them and leaks 20 a second; a request
/// that was answered takes one along too, so that a busy proxy may cancel one for each that it
/// lets end.
///
/// A client that only pings every second stays near 0 for ever; one that opens and resets streams
/// without an end is over the brim after 2000 of them.
struct GlitchBucket {
    static let capacity = 2_000.0
    static let leakPerSecond = 20.0

    private var level = 0.0
    private var counted = 0
    private var updated: MonotonicTime

    init(at now: MonotonicTime) { updated = now }

    /// `total` is the session's count since it began. True if too many came too fast.
    mutating func overflows(total: Int, at now: MonotonicTime) -> Bool {
        guard total != counted else { return false }
        let leaked = (now - updated).seconds * Self.leakPerSecond
        level = max(0, level - leaked) + Double(total - counted)
        counted = total
        updated = now
        return level > Self.capacity
    }

    mutating func requestAnswered() { level = max(0, level - 1) }
}
