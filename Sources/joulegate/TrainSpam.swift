import ArgumentParser
import Classification
import Foundation

/// Makes the weights of the linear scorer that stands before the accelerators.
struct TrainSpam: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-spam",
        abstract: "Train the linear scorer of a spam filter and report how good it is.",
        discussion: """
            Reads a file of lines LABEL<tab>TEXT, leaves out messages that are there twice in \
            normal form, cross-validates (each part is tested by weights and thresholds made from \
            the others), trains on all but one part, calibrates on that part, and writes the \
            weights. The report is JSON; no text of the file is in it or in the weights.
            """)

    @Option(help: "The labelled messages, tab-separated.")
    var data: String

    @Option(help: "The label that the scorer looks for.")
    var positive = "spam"

    @Option(help: "Where to write the weights; without it there is only the report.")
    var output: String?

    @Option(help: "The version that verdicts will name; without it one made of the weights.")
    var name: String?

    @Option(help: "Parts of the cross-validation.")
    var folds = 5

    @Option(help: "False positives that the strict threshold may make, as a share.")
    var falsePositiveRate = 0.002

    @Option(help: "Seed of the order in which messages are seen.")
    var seed: UInt64 = 1

    func validate() throws {
        guard 3...50 ~= folds else { throw ValidationError("--folds is 3 to 50") }
        guard 0...1 ~= falsePositiveRate else {
            throw ValidationError("--false-positive-rate is 0 to 1")
        }
    }

    func run() throws {
        let (samples, skipped) = try read()
        let distinct = LinearTrainer.distinct(samples)
        guard distinct.contains(where: \.isPositive), !distinct.allSatisfy(\.isPositive) else {
            throw ValidationError("\(data) needs messages with the label '\(positive)' and others")
        }
        let trainer = LinearTrainer(seed: seed)
        let crossed = CrossValidation(
            distinct, folds: folds, falsePositiveRate: falsePositiveRate, trainer: trainer)
        let scorer = Self.finalScorer(distinct, folds, trainer, name)
        if let output { try Data(scorer.scorer.file()).write(to: URL(fileURLWithPath: output)) }
        let report: [String: Any] = [
            "version": scorer.scorer.version,
            "messages": [
                "read": samples.count, "skipped": skipped, "distinct": distinct.count,
                "positive": distinct.count { $0.isPositive },
            ],
            "cross_validation": Self.report(crossed),
            "thresholds": Self.curve(scorer.judged, scorer.chosen),
        ]
        let text = try JSONSerialization.data(
            withJSONObject: report, options: [.prettyPrinted, .sortedKeys])
        print(String(decoding: text, as: UTF8.self))
    }

    private func read() throws -> (samples: [LinearTrainer.Sample], skipped: Int) {
        let text = String(
            decoding: try Data(contentsOf: URL(fileURLWithPath: data)), as: UTF8.self)
        var samples: [LinearTrainer.Sample] = []
        var skipped = 0
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "\t", maxSplits: 1)
            guard parts.count == 2,
                let sample = LinearTrainer.Sample(
                    text: String(parts[1]), isPositive: parts[0] == positive)
            else {
                skipped += 1
                continue
            }
            samples.append(sample)
        }
        return (samples, skipped)
    }

    /// The weights to use: trained on all parts but two, calibrated on one, judged on the other.
    private static func finalScorer(
        _ samples: [LinearTrainer.Sample], _ folds: Int, _ trainer: LinearTrainer, _ name: String?
    ) -> (scorer: LinearScorer, chosen: Evaluation, judged: Evaluation) {
        let parts = CrossValidation.deal(samples, max(folds, 5), seed: trainer.seed)
        let training = parts.dropFirst(2).flatMap { $0 }
        let nameless = trainer.train(training, calibratedOn: parts[1], version: "unnamed")
        let version = name ?? "linear-" + nameless.fingerprint
        let scorer = nameless.named(version)
        return (
            scorer, Evaluation(scorer, on: parts[1]), Evaluation(scorer, on: parts[0])
        )
    }

    private static func report(_ crossed: CrossValidation) -> [String: Any] {
        func means(_ pick: @escaping (CrossValidation.Fold) -> Evaluation.Operation)
            -> [String: Any]
        {
            [
                "accuracy": rounded(crossed.mean { pick($0).accuracy }),
                "precision": rounded(crossed.mean { pick($0).precision }),
                "recall": rounded(crossed.mean { pick($0).recall }),
                "false_positive_rate": rounded(crossed.mean { pick($0).falsePositiveRate }),
            ]
        }
        return [
            "folds": crossed.folds.count,
            "fewest_errors": means { $0.best },
            "strict": means { $0.strict },
            "calibration_error": rounded(crossed.mean { $0.calibrationError }),
        ]
    }

    /// What thresholds chosen on one part do on another.
    private static func curve(_ judged: Evaluation, _ chosen: Evaluation) -> [[String: Any]] {
        [0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05].map { rate in
            let operation = judged.operation(at: chosen.threshold(forFalsePositiveRate: rate))
            return [
                "allowed_false_positive_rate": rate, "threshold": rounded(operation.threshold),
                "precision": rounded(operation.precision), "recall": rounded(operation.recall),
                "false_positive_rate": rounded(operation.falsePositiveRate),
            ]
        }
    }

    private static func rounded(_ value: Double) -> Double { (value * 1e5).rounded() / 1e5 }
}
