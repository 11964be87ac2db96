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

    /// Ten minutes of up to 60 sequences, ten idle ones, then a burst of up to 100, in windows of a
    /// second. The textbook's filter gets the readings weighted by their doubt and the usual large
    /// initial variance (100 on multipliers of 1): what idling leaves unexcited it forgets without
    /// bound, and rounding does the rest. (With a variance of 1 it survives this test.)
    @Test func idlingThenABurstThrowsTheTextbooksFilterButNotThisOne() {
        let prior = EndpointModel(
            profile: Profiles.h100.believed(power: 1.5, idle: 0.6), engine: .vllm)
        let energies = EnergyPrior(prior)
        for seed in 1...3 {
            var load = SyntheticLoad(truth, seed: UInt64(seed))
            var learner = EnergyLearner(meters: [Self.meter([0])], models: [prior])
            var textbook = TextbookFilter(
                Array(repeating: 1, count: EnergyPrior.width), variance: 100)
            var regressors = Array(repeating: 0.0, count: EnergyPrior.width)
            var errors = (ours: 0.0, textbook: 0.0)
            for second in 0..<1_500 {
                let most = second < 600 ? 60 : (second < 1_200 ? 0 : 100)
                let (activity, joules) = load.window(1, most: most)
                let reading = joules * load.noise(0.03)
                energies.fill(activity, share: 1, into: &regressors, at: 0)
                let guess = textbook.prediction(regressors)
                let weight = 1 / (0.03 * reading)
                textbook.update(regressors.map { $0 * weight }, reading: 1 / 0.03)
                _ = learner.learn(from: window(reading, 1), [activity])
                guard second >= 1_200 else { continue }
                let ours = learner.prediction(of: MeterID(0))?.value ?? .infinity
                errors.ours += (ours / joules - 1).magnitude / 300
                errors.textbook += (guess / joules - 1).magnitude / 300
            }
            print("burst after idling, mean error:", errors)
            #expect(errors.ours <= 0.03)
            #expect(!(errors.textbook <= 0.5))
        }
    }

    // MARK: Several endpoints, several meters, several clocks

    @Test func endpointsBehindOneMeterAreToldApart() {
        let believed = EndpointModel(profile: Profiles.h100, engine: .vllm)
        let hungry = EndpointModel(
            profile: Profiles.h100.believed(power: 1.6), engine: .vllm)
        var learner = EnergyLearner(meters: [Self.meter([0, 1])], models: [believed, believed])
        var first = SyntheticLoad(truth, seed: 1)
        var second = SyntheticLoad(hungry, seed: 2)
        for step in 0..<400 {
            let (one, joules) = first.window(5, most: step % 3 == 0 ? 0 : 60)
            let (other, more) = second.window(5, most: step % 5 == 0 ? 0 : 60)
            let seen = window((joules + more) * first.noise(0.02), 5)
            #expect(learner.learn(from: seen, [one, other]) == [0, 1])
        }
        let rises = [learner.figures(of: 0).rises, learner.figures(of: 1).rises]
        let curves = [rise(rises[0], believed, 16), rise(rises[1], believed, 16)]
        #expect(near(curves[0], believed.curve.energyAboveIdle(batch: 16).value, within: 0.1))
        #expect(near(curves[1], 1.6 * believed.curve.energyAboveIdle(batch: 16).value, within: 0.1))
    }

    private func rise(_ rises: [Double], _ model: EndpointModel, _ batch: Int) -> Double {
        let prior = EnergyPrior(model)
        var sum = 0.0
        var low = 0
        for (rise, end) in zip(rises, prior.ends) where low < batch {
            sum += rise * (prior.energy(min(end, batch)) - prior.energy(low))
            low = end
        }
        return sum
    }

    /// Eight meters that each see an eighth: the endpoint is their sum.
    @Test func anEndpointBehindSeveralMetersIsTheirSum() {
        let meters = (0..<8).map { _ in Self.meter([0]) }
        let believed = EndpointModel(
            profile: Profiles.h100.believed(power: 0.6, idle: 1.5), engine: .vllm)
        var learner = EnergyLearner(meters: meters, models: [believed])
        var load = SyntheticLoad(truth, seed: 5)
        for step in 0..<200 {
            let (activity, joules) = load.window(5, most: step % 4 == 0 ? 0 : 60)
            for meter in 0..<8 {
                _ = learner.learn(
                    from: window(joules / 8 * load.noise(0.02), 5, meter: meter), [activity])
            }
        }
        var model = believed
        var time = TimeLearner()
        model.rewrite(from: believed, endpoint: 0, energy: learner, time: &time)
        #expect(near(model.curve.idlePower.value, 120, within: 0.03))
        for batch in [4, 16, 32] {
            // Step and cache grow together here, at 1,000 tokens each.
            func joules(_ model: EndpointModel) -> Double {
                model.curve.energyAboveIdle(batch: batch).value
                    + model.kvEnergyPerStep * Double(batch) * 1_000
            }
            #expect(near(joules(model), joules(truth), within: 0.06))
            #expect(model.curve.provenance(batch: batch) == .measured)
            #expect(model.curve.deviation(batch: batch) < 0.1)
        }
    }

    @Test func anotherClockIsAnotherCurveAndTheOldOneIsKept() {
        var learner = EnergyLearner(meters: [Self.meter([0])], models: [truth])
        let slow = EndpointModel(profile: Profiles.h100.believed(power: 0.6), engine: .vllm)
        var loads = [SyntheticLoad(truth, seed: 1), SyntheticLoad(slow, seed: 2)]
        func learn(_ which: Int) -> Double {
            var last = 0.0
            for _ in 0..<100 {
                let (activity, joules) = loads[which].window(5, most: 60)
                _ = learner.learn(from: window(joules, 5), [activity])
                last = (learner.prediction(of: MeterID(0))?.value ?? 0) / joules
            }
            return last
        }
        #expect(near(learn(0), 1, within: 0.02))
        let before = learner.figures(of: 0).rises
        #expect(learner.select(label: 1_200, of: 0) == [0])
        #expect(learner.select(label: 1_200, of: 0) == [])
        #expect(near(learn(1), 1, within: 0.02))
        #expect(learner.figures(of: 0).rises != before)
        _ = learner.select(label: 0, of: 0)
        #expect(learner.figures(of: 0).rises == before)
        for label in 2...9 { _ = learner.select(label: UInt64(label), of: 0) }
        #expect(near(learn(0), 1, within: 0.02))
    }

    // MARK: What is not learned from

    @Test func idlePowerIsLearnedFromQuietWindowsAlone() {
        let believed = EndpointModel(profile: Profiles.h100.believed(idle: 2), engine: .vllm)
        var learner = EnergyLearner(meters: [Self.meter([0])], models: [believed])
        var load = SyntheticLoad(truth, seed: 3)
        for _ in 0..<100 {
            let (activity, joules) = load.window(5, most: 30)
            _ = learner.learn(from: window(joules, 5), [activity])
        }
        #expect(learner.figures(of: 0).idle == 1)
        for _ in 0..<10 {
            let (activity, joules) = load.window(5, most: 0)
            _ = learner.learn(from: window(joules, 5), [activity])
        }
        #expect(near(learner.figures(of: 0).idle, 0.5, within: 0.02))
    }

    @Test func windowsThatAreNoMeasurementTeachNothing() {
        var learner = EnergyLearner(meters: [Self.meter([0])], models: [truth])
        var load = SyntheticLoad(truth, seed: 3)
        let (activity, joules) = load.window(5, most: 30)
        for kind in MeterWindow.Kind.allCases where kind != .metered {
            var seen = window(2 * joules, 5)
            seen.kind = kind
            #expect(learner.learn(from: seen, [activity]).isEmpty)
        }
        var modelled = window(2 * joules, 5)
        modelled.provenance = .modelled
        #expect(learner.learn(from: modelled, [activity]).isEmpty)
        #expect(learner.learn(from: window(joules, 5, meter: 7), [activity]).isEmpty)
        #expect(learner.learn(from: window(-1, 5), [activity]).isEmpty)
        #expect(learner.learn(from: window(joules, 0.1), [activity]).isEmpty)
        // Work of five seconds against a reading of ten.
        #expect(learner.learn(from: window(joules, 10), [activity]).isEmpty)
        #expect(learner.learn(from: window(joules, 5), []).isEmpty)
        #expect(learner.figures(of: 0).rises == Array(repeating: 1, count: EnergyPrior.rises))
    }

    @Test func theLearnedCurveNeverFalls() {
        for profile in [Profiles.h100, Profiles.npu, Profiles.b200, Profiles.atom] {
            let model = EndpointModel(profile: profile, engine: .vllm)
            var learner = EnergyLearner(meters: [Self.meter([0])], models: [model])
            var load = SyntheticLoad(model, seed: 4)
            var learned = model
            var time = TimeLearner()
            for _ in 0..<60 {
                let (activity, joules) = load.window(5, most: model.curve.capacity)
                let wild = joules * (0.2 + 3 * load.random.nextUnit())
                _ = learner.learn(from: window(wild, 5), [activity])
                learned.rewrite(from: model, endpoint: 0, energy: learner, time: &time)
                for batch in 1...model.curve.capacity {
                    let before = learned.curve.energyAboveIdle(batch: batch - 1)
                    #expect(learned.curve.energyAboveIdle(batch: batch) >= before)
                    #expect(learned.curve.power(batch: batch) >= learned.curve.idlePower)
                }
            }
        }
    }

    @Test func withNothingLearnedTheModelIsTheProfile() {
        for profile in [Profiles.h100, Profiles.npu, Profiles.arm] {
            let model = EndpointModel(profile: profile, engine: .vllm)
            var again = model
            var time = TimeLearner()
            let learner = EnergyLearner(meters: [], models: [model])
            again.rewrite(from: model, endpoint: 0, energy: learner, time: &time)
            for batch in 0...model.curve.capacity {
                let (one, other) = (model.curve, again.curve)
                let seconds = one.iterationTime(batch: batch).seconds
                #expect(near(other.iterationTime(batch: batch).seconds, seconds, within: 1e-6))
                #expect(one.provenance(batch: batch) == other.provenance(batch: batch))
                #expect(one.deviation(batch: batch) == other.deviation(batch: batch))
                let joules = one.energyAboveIdle(batch: batch).value
                #expect(near(other.energyAboveIdle(batch: batch).value, joules, within: 1e-9))
            }
        }
    }
}
