import InferenceTypes
import Testing

@testable import EnergyModel

@Suite struct EnergyLearnerTests {
    private let truth = EndpointModel(profile: Profiles.h100, engine: .vllm)

    private static func meter(_ endpoints: [Int]) -> EnergyLedger.Meter {
        .init(name: "m", endpoints: endpoints.map { EndpointID($0) }, scope: .accelerator)
    }

    private func window(_ joules: Double, _ seconds: Double, meter: Int = 0) -> MeterWindow {
        MeterWindow(
            meter: MeterID(meter), start: .zero, end: .zero + TimeSpan(seconds: seconds),
            energy: Microjoules(Joules(joules)), provenance: .measured)
    }

    /// The errors of windows of `seconds` after `skipped` seconds, idle gaps of ten minutes after
    /// every twenty minutes; one in ten windows is lost.
    private func errors(
        prior: Profile, seconds: Double, minutes: Double, skipped: Double, seed: UInt64
    ) -> [Double] {
        let model = EndpointModel(profile: prior, engine: .vllm)
        var learner = EnergyLearner(meters: [Self.meter([0])], models: [model])
        var load = SyntheticLoad(truth, seed: seed)
        var errors: [Double] = []
        var at = -120.0
        while at < minutes * 60 {
            let isIdle = at < 0 || at.truncatingRemainder(dividingBy: 1_800) >= 1_200
            let (activity, joules) = load.window(seconds, most: isIdle ? 0 : 100)
            at += seconds
            if load.random.nextUnit() < 0.1 { continue }
            let seen = window(joules * load.noise(0.02), seconds)
            _ = learner.learn(from: seen, [activity])
            if at > skipped, !isIdle, let predicted = learner.prediction(of: MeterID(0)) {
                errors.append((predicted.value / joules - 1).magnitude)
            }
        }
        return errors
    }

    /// Beliefs off by up to two either way, half-minute windows, a tenth lost: interval power to
    /// 3 % after ten minutes of load.
    @Test(arguments: [
        (0.5, 2.0, 0.5), (2.0, 0.5, 2.0), (2.0, 2.0, 2.0), (0.5, 0.5, 0.5), (1.5, 0.6, 1.5),
    ])
    func wrongBeliefsAreCorrectedInTenMinutes(power: Double, idle: Double, prefill: Double) {
        let prior = Profiles.h100.believed(power: power, idle: idle, prefill: prefill)
        for seconds in [5.0, 30] {
            var all: [Double] = []
            for seed in 1...4 {
                all += errors(
                    prior: prior, seconds: seconds, minutes: 60, skipped: 600, seed: UInt64(seed))
            }
            let mean = all.reduce(0, +) / Double(all.count)
            print("windows \(seconds) s, x\(power) x\(idle): mean", mean, "p95",
                quantile(0.95, all))
            #expect(mean <= 0.03)
            #expect(quantile(0.95, all) <= 0.06)
        }
    }

    /// Load of up to 8 sequences, ten idle minutes, then a burst of up to 100, seen in windows of
    /// one second: the textbook's filter has forgotten what it may not forget.
    @Test func anIdleHourThenABurstThrowsTheTextbookFilterButNotThisOne() {
        let prior = EndpointModel(
            profile: Profiles.h100.believed(power: 1.5, idle: 0.6), engine: .vllm)
        let energies = EnergyPrior(prior)
        var worst = (ours: 0.0, textbook: 0.0)
        for seed in 1...5 {
            var load = SyntheticLoad(truth, seed: UInt64(seed))
            var learner = EnergyLearner(meters: [Self.meter([0])], models: [prior])
            var textbook = TextbookFilter(
                Array(repeating: 1, count: EnergyPrior.width), variance: 1_000)
            var regressors = Array(repeating: 0.0, count: EnergyPrior.width)
            var ours: [Double] = []
            var theirs: [Double] = []
            for step in 0..<1_500 {
                let phase = step < 600 ? 60 : (step < 1_200 ? 0 : 100)
                let (activity, joules) = load.window(1, most: phase)
                let reading = joules * load.noise(0.03)
                energies.fill(activity, share: 1, into: &regressors, at: 0)
                let theirGuess = textbook.prediction(regressors)
                textbook.update(regressors, reading: reading)
                _ = learner.learn(from: window(reading, 1), [activity])
                guard step >= 1_200, let guess = learner.prediction(of: MeterID(0)) else {
                    continue
                }
                ours.append((guess.value / joules - 1).magnitude)
                theirs.append((theirGuess / joules - 1).magnitude)
            }
            worst.ours = max(worst.ours, ours.reduce(0, +) / Double(ours.count))
            worst.textbook = max(worst.textbook, quantile(1, theirs))
        }
        print("burst after idling:", worst)
        #expect(worst.ours <= 0.03)
    }
}
