import InferenceTypes
import Testing

@testable import Classification

@Suite struct LinearScorerTests {
    /// Messages of two kinds that share most of their words.
    private static func messages(_ count: Int, seed: UInt64) -> [LinearTrainer.Sample] {
        var random = RandomSource(seed: seed)
        let spam = ["win", "prize", "claim", "무료", "당첨", "urgent"]
        let ham = ["lunch", "home", "tomorrow", "회의", "저녁", "thanks"]
        let both = ["the", "you", "now", "오늘", "call", "see", "at", "to"]
        return (0..<count).compactMap { number in
            let isSpam = number % 4 == 0
            var words = [String(number)]
            for _ in 0..<8 {
                let own = random.nextUnit() < 0.4
                let list = own ? (isSpam ? spam : ham) : both
                words.append(list[random.nextIndex(below: list.count)])
            }
            return LinearTrainer.Sample(text: words.joined(separator: " "), isPositive: isSpam)
        }
    }

    @Test func itLearnsAndSaysHowSureItIs() {
        let samples = Self.messages(2_000, seed: 1)
        let crossed = CrossValidation(
            samples, folds: 5, falsePositiveRate: 0.01, trainer: LinearTrainer(seed: 3))
        #expect(crossed.folds.count == 5)
        #expect(crossed.mean { $0.best.accuracy } > 0.97)
        #expect(crossed.mean { $0.calibrationError } < 0.03)
        #expect(crossed.mean { $0.strict.falsePositiveRate } < 0.02)
    }

    @Test func labelsWithoutSenseAreNotLearnt() {
        var random = RandomSource(seed: 9)
        let samples = Self.messages(1_000, seed: 1).map { sample in
            var sample = sample
            sample.isPositive = random.next() % 2 == 0
            return sample
        }
        let crossed = CrossValidation(
            samples, folds: 5, falsePositiveRate: 0.01, trainer: LinearTrainer(seed: 3))
        #expect(crossed.mean { $0.best.accuracy } < 0.6)
    }

    @Test func theSameSeedGivesTheSameFile() {
        let samples = Self.messages(400, seed: 1)
        func file(_ seed: UInt64) -> [UInt8] {
            LinearTrainer(seed: seed).train(
                samples, calibratedOn: samples, version: "v"
            ).file()
        }
        #expect(file(1) == file(1))
        #expect(file(1) != file(2))
    }

    @Test func aFileReadsBackAsItWas() throws {
        let samples = Self.messages(400, seed: 1)
        let scorer = LinearTrainer(seed: 1).train(samples, calibratedOn: samples, version: "v 1")
        let again = try LinearScorer(file: scorer.file())
        #expect(again.version == "v 1")
        for sample in samples {
            #expect(again.probability(sample.features) == scorer.probability(sample.features))
        }
    }

    @Test func damagedFilesAreRefused() {
        let samples = Self.messages(40, seed: 1)
        let file = LinearTrainer(seed: 1).train(
            samples, calibratedOn: samples, version: "v"
        ).file()
        for place in stride(from: 0, to: file.count, by: 13) {
            var damaged = file
            damaged[place] ^= 0x10
            #expect(throws: LinearScorer.FileError.self) { try LinearScorer(file: damaged) }
        }
        for count in [0, 1, 17, 60, file.count - 8, file.count - 1] {
            #expect(throws: LinearScorer.FileError.self) {
                try LinearScorer(file: Array(file[..<count]))
            }
        }
        #expect(throws: LinearScorer.FileError.self) { try LinearScorer(file: file + [0]) }
    }

    @Test func messagesThatAreThereTwiceCountOnce() {
        let samples = ["Free prize", "FREE  prize", "ｆｒｅｅ prize", "free lunch"].compactMap {
            LinearTrainer.Sample(text: $0, isPositive: true)
        }
        #expect(LinearTrainer.distinct(samples).count == 2)
    }

    @Test func thresholdsKeepWhatTheyPromiseOnTheirOwnMessages() {
        let samples = Self.messages(2_000, seed: 5)
        let scorer = LinearTrainer(seed: 1).train(
            Self.messages(300, seed: 6), calibratedOn: samples, version: "v")
        let evaluation = Evaluation(scorer, on: samples)
        for rate in [0, 0.002, 0.01, 0.1] {
            let operation = evaluation.operation(
                at: evaluation.threshold(forFalsePositiveRate: rate))
            #expect(operation.falsePositiveRate <= rate)
        }
    }
}
