import InferenceTypes

/// How good a scorer is on messages that it has not seen.
public struct Evaluation: Sendable {
    /// What a threshold does on a set of messages.
    public struct Operation: Sendable {
        public var threshold: Double
        public var truePositives = 0
        public var falsePositives = 0
        public var trueNegatives = 0
        public var falseNegatives = 0

        public var accuracy: Double {
            ratio(truePositives + trueNegatives, truePositives + trueNegatives + errors)
        }
        public var errors: Int { falsePositives + falseNegatives }
        public var precision: Double { ratio(truePositives, truePositives + falsePositives) }
        public var recall: Double { ratio(truePositives, truePositives + falseNegatives) }
        public var falsePositiveRate: Double {
            ratio(falsePositives, falsePositives + trueNegatives)
        }

        private func ratio(_ part: Int, _ whole: Int) -> Double {
            whole == 0 ? 0 : Double(part) / Double(whole)
        }
    }

    /// Probabilities of the positive and of the negative messages, each ascending.
    private let positives: [Double]
    private let negatives: [Double]

    public init(_ scorer: LinearScorer, on samples: [LinearTrainer.Sample]) {
        var (positives, negatives): ([Double], [Double]) = ([], [])
        for sample in samples {
            let probability = scorer.probability(sample.features)
            if sample.isPositive {
                positives.append(probability)
            } else {
                negatives.append(probability)
            }
        }
        self.positives = positives.sorted()
        self.negatives = negatives.sorted()
    }

    public func operation(at threshold: Double) -> Operation {
        let hits = positives.count { $0 >= threshold }
        let alarms = negatives.count { $0 >= threshold }
        return Operation(
            threshold: threshold, truePositives: hits, falsePositives: alarms,
            trueNegatives: negatives.count - alarms, falseNegatives: positives.count - hits)
    }

    /// The least threshold with which no more than this share of the negative messages is taken
    /// for positive; halfway to the next message below, since messages to come lie around those
    /// that were seen.
    public func threshold(forFalsePositiveRate rate: Double) -> Double {
        let allowed = Int(rate * Double(negatives.count))
        guard negatives.count > allowed else { return 0 }
        let highest = negatives[negatives.count - 1 - allowed]
        let next = positives.first { $0 > highest } ?? 1
        return min((highest + next) / 2, 1)
    }

    /// The threshold with the fewest errors.
    public func bestThreshold() -> Double {
        let candidates = (positives + negatives).sorted()
        var best = (threshold: 0.5, errors: Int.max)
        for index in candidates.indices.dropFirst() {
            guard candidates[index] > candidates[index - 1] else { continue }
            let threshold = (candidates[index] + candidates[index - 1]) / 2
            let errors = operation(at: threshold).errors
            if errors < best.errors { best = (threshold, errors) }
        }
        return best.threshold
    }

    /// Mean distance of predicted and true share over ten bins of predictions, weighted by how many
    /// messages each has.
    public var calibrationError: Double {
        var bins = [(sum: Double, hits: Int, count: Int)](repeating: (0, 0, 0), count: 10)
        for (list, isHit) in [(positives, 1), (negatives, 0)] {
            for probability in list {
                let bin = min(9, Int(probability * 10))
                bins[bin].sum += probability
                bins[bin].hits += isHit
                bins[bin].count += 1
            }
        }
        let gap = bins.reduce(0) { $0 + abs($1.sum - Double($1.hits)) }
        return gap / Double(max(1, positives.count + negatives.count))
    }
}

/// Messages dealt into parts, each part in turn held back for testing: what is learnt, and what a
/// threshold is chosen on, is never what is judged.
public struct CrossValidation: Sendable {
    public struct Fold: Sendable {
        /// At the threshold with the fewest errors on the validation messages.
        public var best: Evaluation.Operation
        /// At the threshold for the false-positive rate asked for, chosen on the same.
        public var strict: Evaluation.Operation
        public var calibrationError: Double
    }

    public let folds: [Fold]

    /// - Parameter rate: false positives that the strict threshold may make.
    public init(
        _ samples: [LinearTrainer.Sample], folds count: Int, falsePositiveRate rate: Double,
        trainer: LinearTrainer
    ) {
        let parts = Self.deal(samples, count, seed: trainer.seed)
        folds = parts.indices.map { test in
            // The part behind the test's validates, twice: a quarter of what is left.
            let validation = parts[(test + 1) % parts.count]
            let training = parts.indices
                .filter { $0 != test && $0 != (test + 1) % parts.count }
                .flatMap { parts[$0] }
            let scorer = trainer.train(training, calibratedOn: validation, version: "fold")
            let chosen = Evaluation(scorer, on: validation)
            let judged = Evaluation(scorer, on: parts[test])
            return Fold(
                best: judged.operation(at: chosen.bestThreshold()),
                strict: judged.operation(
                    at: chosen.threshold(forFalsePositiveRate: rate)),
                calibrationError: judged.calibrationError)
        }
    }

    /// Parts with the same share of positive messages.
    public static func deal(
        _ samples: [LinearTrainer.Sample], _ count: Int, seed: UInt64
    ) -> [[LinearTrainer.Sample]] {
        var random = RandomSource(seed: seed)
        var parts = [[LinearTrainer.Sample]](repeating: [], count: max(count, 3))
        for isPositive in [true, false] {
            var list = samples.filter { $0.isPositive == isPositive }
            LinearTrainer.shuffle(&list, &random)
            for (index, sample) in list.enumerated() { parts[index % parts.count].append(sample) }
        }
        return parts
    }

    public func mean(_ value: (Fold) -> Double) -> Double {
        folds.isEmpty ? 0 : folds.reduce(0) { $0 + value($1) } / Double(folds.count)
    }
}
