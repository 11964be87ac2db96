import InferenceTypes

/// What one endpoint is believed to draw, taken apart into what can be learned of it: the rises of
/// `E*(B)` from one of the batches 1, 2, 4 ... 256 to the next, each in the shape that the profile
/// gives it, then prefill, the KV cache and idling. With every multiplier at 1 the sum is the
/// profile; with none below 0 the curve never falls.
///
/// Worked, H100: rises 1.957 J up to 1 sequence, 0.111 J from 1 to 2, 0.223 J to 4, 0.443 J to 8.
/// 100 iterations at 3 sequences make the regressors 195.7 J, 11.1 J and 11.2 J, of the last one
/// only the half up to 3.
public struct EnergyPrior: Sendable {
    /// Parameters of one endpoint.
    public static let width = 12
    static let rises = 9
    static let prefillIndex = 9
    static let cacheIndex = 10
    static let idleIndex = 11

    /// Who is wrong about a curve is mostly wrong about all of it: of two rises the errors are
    /// taken to go together, with that of prefill somewhat.
    static func correlation(_ one: Int, _ other: Int) -> Double {
        guard one / width == other / width else { return 0 }
        let (low, high) = (min(one % width, other % width), max(one % width, other % width))
        if high < rises { return 0.8 }
        return high == prefillIndex && low < rises ? 0.5 : 0
    }

    /// `E*(B)`, 0 to the capacity.
    let energies: [Double]
    /// By rise: the batch at which it ends, ascending. The last one is the capacity.
    let ends: [Int]
    let prefillJoulesPerToken: Double
    let cacheJoulesPerStep: Double
    let idleWatts: Double

    public init(_ model: EndpointModel) {
        let curve = model.curve
        idleWatts = max(curve.idlePower.value, 0)
        prefillJoulesPerToken = max(model.prefillEnergyPerToken.value, 0)
        cacheJoulesPerStep = max(model.kvEnergyPerStep, 0)
        // A profile that shows no rise above idle leaves at least something to multiply.
        energies = (0...curve.capacity).map { batch in
            let least = 0.01 * curve.idlePower.value * curve.iterationTime(batch: batch).seconds
            return max(curve.energyAboveIdle(batch: batch).value, least)
        }
        var ends: [Int] = []
        for exponent in 0..<Self.rises {
            let end = exponent == Self.rises - 1 ? curve.capacity : 1 << exponent
            guard end < curve.capacity else { break }
            ends.append(end)
        }
        self.ends = ends + [curve.capacity]
    }

    func energy(_ batch: Int) -> Double { energies[min(max(batch, 0), energies.count - 1)] }

    /// Writes joules, at multipliers of 1, into `buffer` from `offset` on; all times `share`.
    func fill(
        _ activity: EndpointActivity, share: Double, into buffer: inout [Double], at offset: Int
    ) {
        guard offset >= 0, offset + Self.width <= buffer.count else { return }
        for index in 0..<Self.width { buffer[offset + index] = 0 }
        var low = 0
        var beyond = 0.0
        for batch in activity.iterations.indices.dropFirst() {
            beyond += activity.iterations[batch]
        }
        for (rise, end) in ends.enumerated() where beyond > 0 {
            var inside = 0.0
            var joules = 0.0
            for batch in (low + 1)...end where batch < activity.iterations.count {
                let iterations = activity.iterations[batch]
                inside += iterations
                joules += iterations * (energy(batch) - energy(low))
            }
            beyond = max(beyond - inside, 0)
            joules += beyond * (energy(end) - energy(low))
            buffer[offset + rise] = share * joules
            low = end
        }
        buffer[offset + Self.prefillIndex] =
            share * prefillJoulesPerToken * max(activity.prefillTokens, 0)
        buffer[offset + Self.cacheIndex] =
            share * cacheJoulesPerStep * max(activity.kvTokenSteps, 0)
        buffer[offset + Self.idleIndex] = share * idleWatts * activity.span.seconds
    }
}
