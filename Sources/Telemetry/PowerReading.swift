import InferenceTypes

/// What a meter said at one moment. nil: it did not say.
public struct PowerReading: Hashable, Sendable {
    public var power: Watts?
    /// A counter since some start that resets with the driver or the machine: only differences
    /// mean anything, and a decrease is a reset.
    public var energy: Joules?
    /// Some value was beyond belief (a wrong unit, a negative power) and was left out. A reading
    /// that lacks a card is no total: do not learn from it.
    public var isSuspect: Bool
    /// Cards, GPUs or sockets that were added up.
    public var parts: Int
    public var clocks = ClockReading()

    public init(
        power: Watts? = nil, energy: Joules? = nil, isSuspect: Bool = false, parts: Int = 0
    ) {
        self.power = power
        self.energy = energy
        self.isSuspect = isSuspect
        self.parts = parts
    }
}
