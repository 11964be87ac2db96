import InferenceTypes

/// Makes a ``LinearScorer`` out of messages with labels: logistic regression by AdaGrad with a
/// little decay, then the calibration (Platt, 1999) on messages kept apart. The same messages and
/// the same seed give the same weights.
public struct LinearTrainer: Sendable {
    public struct Sample: Sendable {
        public var features: TextFeatures
        public var isPositive: Bool
        /// Of its normal form: samples with the same one are the same message.
        public var digest: SipHash.Digest

        /// `nil` for a text that is too long.
        public init?(text: String, isPositive: Bool) {
            var normaliser = TextNormaliser()
            var bytes: [UInt8] = []
            let isNormal = Array(text.utf8).withUnsafeBytes {
                normaliser.normalise($0, into: &bytes)
            }
            guard isNormal else { return nil }
            var features = TextFeatures()
            bytes.withUnsafeBytes { features.extract($0) }
            self.features = features
            self.isPositive = isPositive
            digest = bytes.withUnsafeBytes { SipHash.digest($0, key: SipHash.Key(0, 0)) }
        }
    }

    public var epochs = 12
    public var rate: Float = 0.5
    /// Of each weight, at each step that touches it.
    public var decay: Float = 1e-6
    public var seed: UInt64

    public init(seed: UInt64 = 1) { self.seed = seed }

    /// `samples` without those whose normal form was there before.
    public static func distinct(_ samples: [Sample]) -> [Sample] {
        var seen: Set<SipHash.Digest> = []
        return samples.filter { seen.insert($0.digest).inserted }
    }

    /// Weights from `training`, calibration from `validation`.
    public func train(
        _ training: [Sample], calibratedOn validation: [Sample], version: String
    ) -> LinearScorer {
        var weights = [Float](repeating: 0, count: 1 << TextFeatures.bits)
        var squares = [Float](repeating: 1e-2, count: weights.count)
        var bias: Float = 0
        var biasSquares: Float = 1e-2
        var random = RandomSource(seed: seed)
        var order = Array(training.indices)
        for _ in 0..<epochs {
            Self.shuffle(&order, &random)
            for index in order {
                let sample = training[index]
                let scale = 1 / Float(max(1, sample.features.places.count)).squareRoot()
                var margin = bias
                for place in sample.features.places { margin += weights[Int(place)] * scale }
                let wanted: Float = sample.isPositive ? 1 : 0
                let error = Float(LinearScorer.logistic(Double(margin))) - wanted
                biasSquares += error * error
                bias -= rate * error / biasSquares.squareRoot()
                let step = error * scale
                for place in sample.features.places {
                    let place = Int(place)
                    let gradient = step + decay * weights[place]
                    squares[place] += gradient * gradient
                    weights[place] -= rate * gradient / squares[place].squareRoot()
                }
            }
        }
        let raw = LinearScorer(version: version, weights: weights, bias: bias)
        let (slope, offset) = Self.calibration(raw, validation)
        return LinearScorer(
            version: version, weights: weights, bias: bias, slope: slope, offset: offset)
    }

    static func shuffle<T>(_ list: inout [T], _ random: inout RandomSource) {
        for index in list.indices.dropFirst() {
            list.swapAt(index, Int(random.next() % UInt64(index + 1)))
        }
    }

    /// Slope and offset that make the most of the validation messages' labels: Newton's method on
    /// the logistic loss, with Platt's targets, which keep it finite where the labels separate.
    private static func calibration(
        _ scorer: LinearScorer, _ samples: [Sample]
    ) -> (slope: Double, offset: Double) {
        let positives = samples.count { $0.isPositive }
        guard positives > 0, positives < samples.count else { return (1, 0) }
        let high = Double(positives + 1) / Double(positives + 2)
        let low = 1 / Double(samples.count - positives + 2)
        let points = samples.map { (scorer.margin($0.features), $0.isPositive ? high : low) }
        var (slope, offset) = (1.0, 0.0)
        for _ in 0..<50 {
            var (gs, go, hss, hso, hoo) = (0.0, 0.0, 1e-9, 0.0, 1e-9)
            for (margin, target) in points {
                let p = LinearScorer.logistic(slope * margin + offset)
                let weight = p * (1 - p)
                gs += (p - target) * margin
                go += p - target
                hss += weight * margin * margin
                hso += weight * margin
                hoo += weight
            }
            let determinant = hss * hoo - hso * hso
            guard determinant > 1e-12 else { break }
            let ds = (hoo * gs - hso * go) / determinant
            let d0 = (hss * go - hso * gs) / determinant
            slope -= min(max(ds, -1), 1)
            offset -= min(max(d0, -1), 1)
            if abs(ds) + abs(d0) < 1e-9 { break }
        }
        return slope > 0 ? (slope, offset) : (1, 0)
    }
}
