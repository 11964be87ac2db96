import EmulatedEngine
import InferenceTypes

/// How the energy counters of a simulation are read, one for each endpoint.
public struct SimulatedMetering: Hashable, Sendable {
    public var interval = TimeSpan.seconds(5)
    /// Relative standard deviation of a window's energy.
    public var noise = 0.0
    /// Share of readings that get lost; the next window then spans the time of both.
    public var lost = 0.0
    /// True: the scheduler learns from them and from its streams.
    public var learns = false

    public init() {}
}

/// One energy counter for each endpoint, read every few seconds as an exporter's would be.
struct SimulatedMeters: Sendable {
    private let options: SimulatedMetering
    private(set) var nextAt: MonotonicTime
    private var random: RandomSource
    /// By endpoint: true energy at its last reading, and when that was.
    private var last: [Joules] = []
    private var readAt: [MonotonicTime] = []
    /// Windows of endpoints that were not idle all the time: when they ended, and by how much
    /// their energy had been foretold wrong, relative to the truth.
    private(set) var errors: [(at: MonotonicTime, error: Double)] = []

    init(_ options: SimulatedMetering, endpoints: Int, random: RandomSource) {
        self.options = options
        self.random = random
        nextAt = .zero + options.interval
        last = Array(repeating: .zero, count: endpoints)
        readAt = Array(repeating: .zero, count: endpoints)
    }

    struct Reading: Sendable {
        var window: MeterWindow
        var truth: Joules
    }

    /// The windows since the last reading. The engines have been advanced to `now`. At the end of
    /// a run nothing is lost.
    mutating func read(
        _ engines: [EmulatedEngine], at now: MonotonicTime, isLast: Bool
    ) -> [Reading] {
        nextAt = max(nextAt, now) + options.interval
        var readings: [Reading] = []
        for index in engines.indices where now > readAt[index] {
            if options.lost > 0, random.nextUnit() < options.lost, !isLast { continue }
            let energy = engines[index].energy(upTo: now)
            let truth = energy - last[index]
            var seen = truth.value
            if options.noise > 0 {
                seen *= max(1 + options.noise * 3.0.squareRoot() * (2 * random.nextUnit() - 1), 0)
            }
            readings.append(
                Reading(
                    window: MeterWindow(
                        meter: MeterID(index), start: readAt[index], end: now,
                        energy: Microjoules(Joules(seen)),
                        provenance: options.learns ? .measured : .modelled),
                    truth: truth))
            last[index] = energy
            readAt[index] = now
        }
        return readings
    }

    mutating func note(_ reading: Reading, foretold: Joules?, idle: Watts) {
        guard let foretold, reading.truth.value > 1.001 * (idle * reading.window.span).value
        else { return }
        let error = (foretold.value - reading.truth.value) / reading.truth.value
        errors.append((reading.window.end, error))
    }
}
