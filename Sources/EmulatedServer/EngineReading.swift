import InferenceTypes
import Synchronization

/// What the exporter's thread may know of the engine: a point from which power is constant until
/// the next point.
struct EngineReading: Sendable {
    var at: MonotonicTime
    var power: Watts
    var energy: Joules
    var isBusy: Bool

    /// Energy up to `now`, if nothing has changed since.
    func energy(at now: MonotonicTime) -> Joules {
        energy + power * max(.zero, now - at)
    }
}

/// The newest reading, handed from the engine's thread to others.
final class EngineReadingBox: Sendable {
    private let box: Mutex<EngineReading>

    init(_ reading: EngineReading) { box = Mutex(reading) }

    var reading: EngineReading {
        get { box.withLock { $0 } }
        set { box.withLock { $0 = newValue } }
    }
}
