import InferenceTypes

/// Energy by what the engine was doing; the sum is the integral of its power.
public struct EnergyByState: Equatable, Sendable {
    /// Nothing ran: the idle floor, warm-up included.
    public var idle = Joules.zero
    /// The prefill part of steps, at prefill power.
    public var prefill = Joules.zero
    /// The decode part of steps, at the power of the batch. An encoder's forward pass is booked
    /// here too: its price comes off the same knots.
    public var decode = Joules.zero

    /// Asleep, at sleep power.
    public var sleep = Joules.zero
    /// From asleep to serving.
    public var wake = Joules.zero

    public init() {}

    public var total: Joules { idle + prefill + decode + sleep + wake }

    public mutating func add(_ other: EnergyByState) {
        idle += other.idle
        prefill += other.prefill
        decode += other.decode
        sleep += other.sleep
        wake += other.wake
    }

    mutating func add(_ step: Step, energy: Double) {
        let prefilling = energy * step.prefillEnergyShare
        prefill += Joules(prefilling)
        decode += Joules(energy - prefilling)
    }
}

/// What one request truly cost, by the convention of the books: its own prefill, with the stall
/// that it caused to others, and an equal share of every decode step that it was part of.
public struct RequestEnergy: Equatable, Sendable {
    public var prefill = Joules.zero
    public var decode = Joules.zero
    /// Its share of the engine's busy time, s. Times idle power: the part of `total` that the
    /// engine would have drawn anyway.
    public var busySeconds = 0.0

    public init() {}

    public var total: Joules { prefill + decode }

    /// The part above the idle floor, for books that keep the floor on an account of its own.
    public func aboveIdle(_ idlePower: Watts) -> Joules {
        Joules(total.value - idlePower.value * busySeconds)
    }
}
