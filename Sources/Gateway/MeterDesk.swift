import Configuration
import InferenceTypes
import Telemetry

/// The control thread's meters: readings go to the board that shows them, and to the integrators
/// that make windows of them.
final class MeterDesk {
    private let board: PowerBoard
    private(set) var integrators: [MeterIntegrator]
    private let submit: ([MeterWindow]) -> Void

    /// `submit`: takes windows as they close.
    init(
        _ configuration: GatewayConfiguration, board: PowerBoard, at start: MonotonicTime,
        submit: @escaping ([MeterWindow]) -> Void
    ) {
        self.board = board
        self.submit = submit
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
    }

    /// Notices meters that have fallen silent.
    func tick(at now: MonotonicTime) {
        var windows: [MeterWindow] = []
        for index in integrators.indices { integrators[index].tick(at: now, into: &windows) }
        if !windows.isEmpty { submit(windows) }
    }
}
