import InferenceTypes
import Testing

@testable import EnergyModel

private func seconds(_ value: Double) -> MonotonicTime { .zero + TimeSpan(seconds: value) }

@Suite struct WorkClockTests {
    let model = EndpointModel(profile: Profiles.h100, engine: .vllm)
    let stream = RequestWork.Demand(
        inputTokens: 1_155, sequences: 1, generates: true, streams: true)

    @Test func aSequenceAloneTakesTheWholeOfEveryStep() {
        var clock = WorkClock(model, at: .zero)
        var work = clock.placed(stream, prefill: .milliseconds(50), at: .zero)
        clock.firstToken(&work, at: seconds(0.05))
        clock.advance(to: seconds(0.05 + 0.6841))
        let step = model.curve.energyAboveIdle(batch: 1).value
        #expect(abs(clock.share - 100 * step) < 0.01 * step)
        #expect(abs(clock.activity.iterations[1] - 100) < 0.01)
        #expect(abs(clock.activity.prefillTokens - 0.05 * 22_000) < 1)
        #expect(abs(clock.activity.kvTokenSteps - 100 * (1_155 + 50)) < 20)
    }

    @Test func twoShareEveryStepEquallyWhileBothAreThere() {
        var clock = WorkClock(model, at: .zero)
        var first = clock.placed(stream, prefill: .zero, at: .zero)
        var second = clock.placed(stream, prefill: .zero, at: .zero)
        clock.firstToken(&first, at: .zero)
        clock.firstToken(&second, at: seconds(1))
        let before = clock.share
        clock.left(
            &first, isAnswered: true, usage: Usage(), at: seconds(2))
        let shared = clock.share - before
        let step = model.curve.iterationTime(batch: 2).seconds
        let energy = model.curve.energyAboveIdle(batch: 2).value
        #expect(abs(shared - energy / 2 / step) < 1e-6 * shared)
        #expect(second.shareFrom == before)
    }

    @Test func decodingStandsStillWhileAPromptIsComputed() {
        var clock = WorkClock(model, at: .zero)
        var work = clock.placed(stream, prefill: .zero, at: .zero)
        clock.firstToken(&work, at: .zero)
        _ = clock.placed(stream, prefill: .seconds(1), at: .zero)
        clock.advance(to: seconds(1))
        #expect(clock.turns == 0)
        clock.advance(to: seconds(1.5))
        #expect(abs(clock.turns - 0.5 / 0.006841) < 0.1)
    }

    @Test func reportedTokensSetThePaceOfTheClock() {
        var clock = WorkClock(model, at: .zero)
        var work = clock.placed(stream, prefill: .zero, at: .zero)
        clock.firstToken(&work, at: .zero)
        // Half as many tokens as the curve promises.
        for index in 1...80 {
            let tokens = 1 + Int(Double(index) * 0.25 / 0.006841 / 2)
            clock.progressed(&work, tokens: tokens, at: seconds(Double(index) * 0.25))
            clock.settlePace(on: model)
        }
        #expect(abs(clock.pace - 0.5) < 0.03)
    }

    @Test func anEndpointWithNothingInFlightIsIdleAndAbandonedPromptsAreForgotten() {
        var clock = WorkClock(model, at: .zero)
        clock.advance(to: seconds(2))
        #expect(clock.activity.idle == .seconds(2))
        var work = clock.placed(stream, prefill: .seconds(4), at: seconds(2))
        clock.left(&work, isAnswered: false, usage: Usage(), at: seconds(3))
        #expect(clock.idleSince == seconds(3))
        clock.advance(to: seconds(10))
        #expect(abs(clock.activity.prefillTokens - 22_000) < 1)
        #expect(clock.activity.idle == .seconds(9))
        #expect(clock.activity.span == .seconds(10))
    }
}
