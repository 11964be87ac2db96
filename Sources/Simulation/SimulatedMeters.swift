import EmulatedEngine
import InferenceTypes

/// One energy counter for each endpoint, read every few seconds as an exporter's would be.
struct SimulatedMeters: Sendable {
    static let interval = TimeSpan.seconds(5)

    private(set) var nextAt = MonotonicTime.zero + Self.interval
    private var last: [Microjoules] = []
    private var readAt = MonotonicTime.zero

    /// The windows since the last reading. The engines have been advanced to `now`.
    mutating func read(_ engines: [EmulatedEngine], at now: MonotonicTime) -> [MeterWindow] {
        if last.isEmpty { last = Array(repeating: .zero, count: engines.count) }
        nextAt = max(nextAt, now) + Self.interval
        guard now > readAt else { return [] }
        defer { readAt = now }
        return engines.indices.map { index in
            let energy = Microjoules(engines[index].energy(upTo: now))
            defer { last[index] = energy }
            return MeterWindow(
                meter: MeterID(index), start: readAt, end: now, energy: energy - last[index],
                provenance: .modelled)
        }
    }
}
