import InferenceTypes
import Testing

@testable import EnergyModel

@Suite struct TimeLearnerTests {
    private let step = TimeSpan.milliseconds(10)

    /// `rate`: the truth's time of a step over the profile's.
    private func feed(
        _ learner: inout TimeLearner, batch: Int, rate: Double, reports: Int,
        stalledEvery: Int = .max
    ) {
        var at = MonotonicTime.zero
        var position = 0.3
        for report in 1...reports {
            let next = at + .milliseconds(250)
            let isStalled = report % stalledEvery == 0
            position += isStalled ? 0 : 25 / rate
            let gained = position.rounded(.down)
            position -= gained
            learner.gained(gained, from: at, to: next, batch: batch, step: step)
            at = next
        }
    }

    @Test(arguments: [0.5, 0.8, 1.28, 2, 4])
    func stepTimesAreLearnedWhereTheyWereSeen(_ rate: Double) {
        var learner = TimeLearner()
        feed(&learner, batch: 8, rate: rate, reports: 400)
        #expect(near(learner.factor(knot: TimeLearner.knot(of: 8)), rate, within: 0.02))
        // Others are taken for alike until they were seen.
        #expect(near(learner.factor(knot: TimeLearner.knot(of: 64)), rate, within: 0.02))
        feed(&learner, batch: 64, rate: 1, reports: 400)
        #expect(near(learner.factor(knot: TimeLearner.knot(of: 64)), 1, within: 0.02))
        #expect(near(learner.factor(knot: TimeLearner.knot(of: 8)), rate, within: 0.02))
    }

    @Test func stallsDoNotMoveTheMedian() {
        var learner = TimeLearner()
        feed(&learner, batch: 8, rate: 1, reports: 400, stalledEvery: 12)
        #expect(near(learner.factor(knot: 3), 1, within: 0.02))
    }

    @Test func spansWithSomethingElseInThemCountNothing() {
        var learner = TimeLearner()
        learner.disturbed(at: .zero + .seconds(1_000))
        feed(&learner, batch: 8, rate: 3, reports: 400)
        #expect(learner.factor(knot: 3) == 1)
        let hasChanged = learner.takeChange()
        #expect(!hasChanged)
        learner.gained(-1, from: .zero, to: .zero + .seconds(2_000), batch: 8, step: step)
        learner.gained(.nan, from: .zero, to: .zero + .seconds(2_000), batch: 8, step: step)
        learner.gained(5, from: .zero, to: .zero, batch: 0, step: .zero)
        #expect(learner.factor(knot: 3) == 1)
    }

    @Test func knotsArePowersOfTwo() {
        let knots = [0, 1, 2, 3, 5, 6, 90, 91, 256, 100_000].map { TimeLearner.knot(of: $0) }
        #expect(knots == [0, 0, 1, 2, 2, 3, 6, 7, 8, 8])
    }

    /// H is 25 ms and not 5, the prefill rate two thirds of what was believed.
    @Test func firstTokensTellOverheadAndPrefillRateApart() {
        var learner = TimeLearner()
        var random = RandomSource(seed: 3)
        for _ in 0..<400 {
            let prefill = 0.3 * random.nextUnit()
            let truth = 0.025 + 1.5 * prefill + 0.010
            let seen = truth * (1 + 0.1 * (random.nextUnit() - 0.5))
            learner.answered(
                after: TimeSpan(seconds: seen), overhead: .milliseconds(5),
                prefill: TimeSpan(seconds: prefill), step: step, batch: 4)
        }
        #expect(near(learner.prefillFactor, 1.5, within: 0.05))
        #expect(near(learner.overheadFactor * 5, 25, within: 0.2))
    }

    @Test func theRewrittenModelIsAsSlowAsItWasSeen() {
        let prior = EndpointModel(profile: Profiles.h100, engine: .vllm)
        var learner = TimeLearner()
        for batch in [1, 8, 64] { feed(&learner, batch: batch, rate: 1.5, reports: 400) }
        var model = prior
        model.rewrite(from: prior, endpoint: 0, energy: nil, time: &learner)
        for batch in [1, 5, 8, 100, 192] {
            let believed = prior.curve.iterationTime(batch: batch).seconds
            let learned = model.curve.iterationTime(batch: batch).seconds
            #expect(near(learned, 1.5 * believed, within: 0.02))
            let joules = prior.curve.energyAboveIdle(batch: batch).value
            #expect(near(model.curve.energyAboveIdle(batch: batch).value, joules))
        }
    }
}
