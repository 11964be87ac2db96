import InferenceTypes

/// A logistic regression over ``TextFeatures``: how probable it is that a text is of the positive
/// label.
///
///     z = bias + sum of the weights at the text's n places / square root of n
///     p = 1 / (1 + exp(-(slope z + offset)))
///
/// Slope and offset are the calibration: fitted on messages that the weights were not made from.
public final class LinearScorer: Sendable {
    /// What the file says of itself; names a verdict's version.
    public let version: String
    let weights: [Float]
    let bias: Float
    let slope: Double
    let offset: Double

    public init(
        version: String, weights: [Float], bias: Float, slope: Double = 1, offset: Double = 0
    ) {
        precondition(weights.count == 1 << TextFeatures.bits, "one weight for each place")
        self.version = version
        self.weights = weights
        self.bias = bias
        self.slope = slope
        self.offset = offset
    }

    /// The same scorer under another version.
    public func named(_ version: String) -> LinearScorer {
        LinearScorer(
            version: version, weights: weights, bias: bias, slope: slope, offset: offset)
    }

    /// Eight digits that other weights hardly have.
    public var fingerprint: String {
        let digits = String(Self.checkSum(file()[...]) >> 32, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    func margin(_ features: TextFeatures) -> Double {
        guard !features.places.isEmpty else { return Double(bias) }
        var sum: Float = 0
        for place in features.places { sum += weights[Int(place)] }
        return Double(bias + sum / Float(features.places.count).squareRoot())
    }

    /// The calibrated probability of the positive label.
    public func probability(_ features: TextFeatures) -> Double {
        Self.logistic(slope * margin(features) + offset)
    }

    static func logistic(_ value: Double) -> Double {
        value >= 0
            ? 1 / (1 + Mathematics.exp(-value))
            : Mathematics.exp(value) / (1 + Mathematics.exp(value))
    }
}
