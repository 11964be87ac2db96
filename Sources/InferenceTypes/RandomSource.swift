/// A small seeded generator (SplitMix64, Steele, Lea and Flood 2014). Wherever the core needs
/// chance it is handed one of these; the same seed gives the same sequence everywhere.
public struct RandomSource: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in 0 ..< 1, 53 random bits.
    public mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in 0 ..< bound; 0 if bound is not positive. The modulo bias is below 2^-40 for
    /// bounds under 2^24, which is all that tables here can reach.
    public mutating func nextIndex(below bound: Int) -> Int {
        bound <= 1 ? 0 : Int(next() % UInt64(bound))
    }
}
