import Configuration
import InferenceTypes
import Telemetry

/// The control thread's meters: readings go to the board that shows them, and to the integrators
/// that make windows of them.
final class MeterDesk {
    private let board: PowerBoard
    private(set) var integrators: [MeterIntegrator]
    private var clocks: [ClockLabel]
    /// By endpoint: the meters that see it.
    private let sights: [[MeterID]]
    private let submit: ([MeterWindow]) -> Void
    private let relabel: (EndpointID, UInt64) -> Void

    /// `submit` takes windows as they close, `relabel` endpoints whose clocks were set anew.
    init(
        _ configuration: GatewayConfiguration, board: PowerBoard, at start: MonotonicTime,
        submit: @escaping ([MeterWindow]) -> Void,
        relabel: @escaping (EndpointID, UInt64) -> Void
    ) {
        self.board = board
        self.submit = submit
        self.relabel = relabel
        clocks = configuration.meters.map { _ in ClockLabel() }
        sights = configuration.pools.flatMap { $0.endpoints.map(\.meters) }
        integrators = configuration.meters.enumerated().map { index, meter in
            MeterIntegrator(
                meter: MeterID(index), provenance: meter.provenance,
                ceiling: ExporterKind(meter.source)?.believablePower ?? KernelMeter.believablePower,
                at: start)
        }
    }

    func note(_ meter: MeterID, _ reading: PowerReading, at now: MonotonicTime) {
        board.note(meter, reading, at: now)
        guard integrators.indices.contains(meter.index) else { return }
        var windows: [MeterWindow] = []
        integrators[meter.index].take(reading, at: now, into: &windows)
        if !windows.isEmpty { submit(windows) }
        guard clocks[meter.index].take(reading.clocks, at: now) else { return }
        for (index, meters) in sights.enumerated() where meters.contains(meter) {
            let label = meters.reduce(0) { ($0 &* 1_000_003) &+ clocks[$1.index].label }
            relabel(EndpointID(index), label)
        }
    }

    /// Notices meters that have fallen silent.
    func tick(at now: MonotonicTime) {
        var windows: [MeterWindow] = []
        for index in integrators.indices { integrators[index].tick(at: now, into: &windows) }
        if !windows.isEmpty { submit(windows) }
    }
}
