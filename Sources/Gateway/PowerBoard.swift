import Configuration
import InferenceTypes
import Synchronization
import Telemetry

/// The last reading of every meter, for pages that show watts. Readings age: after
/// ``lifetime`` a meter says nothing rather than something old.
final class PowerBoard: Sendable {
    struct Reading: Sendable {
        var power: Watts?
        /// The meter's own counter where it has one, else integrated from its power.
        var energy: Joules
        var at: MonotonicTime
    }

    static let lifetime = TimeSpan.seconds(30)

    private let readings: Mutex<[Reading?]>

    init(meters: [GatewayConfiguration.Meter]) {
        readings = Mutex(Array(repeating: nil, count: meters.count))
    }

    /// By ``MeterID``.
    func latest() -> [Reading?] { readings.withLock { $0 } }

    func note(_ meter: MeterID, _ reading: PowerReading, at now: MonotonicTime) {
        guard !reading.isSuspect else { return }
        readings.withLock { readings in
            let last = readings[meter.index]
            var next = Reading(power: reading.power, energy: last?.energy ?? .zero, at: now)
            if let energy = reading.energy {
                next.energy = energy
                if next.power == nil, let last, now > last.at {
                    // A counter alone still tells the mean power since the last look.
                    let joules = energy.value - last.energy.value
                    next.power = joules >= 0 ? Watts(joules / (now - last.at).seconds) : nil
                }
            } else if let last, let power = last.power {
                next.energy = last.energy + power * (now - last.at)
            }
            readings[meter.index] = next
        }
    }

    func expire(at now: MonotonicTime) {
        readings.withLock { readings in
            for index in readings.indices {
                guard let reading = readings[index] else { continue }
                if now - reading.at > Self.lifetime { readings[index] = nil }
            }
        }
    }
}
