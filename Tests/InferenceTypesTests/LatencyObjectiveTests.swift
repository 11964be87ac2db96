import InferenceTypes
import Testing

struct LatencyObjectiveTests {
    private let promise = LatencyObjective(
        timeToFirstToken: .seconds(1), interTokenLatency: .milliseconds(60))

    private func met(_ first: Int64, _ end: Int64, _ tokens: Int) -> Bool {
        promise.isMet(
            firstToken: .milliseconds(first), end: .milliseconds(end), outputTokens: tokens)
    }

    @Test func longAnswersAreJudgedByFirstTokenAndMeanGap() {
        #expect(met(500, 6_500, 101) && !met(500, 6_501, 101))
        #expect(met(1_000, 1_899, 16) && !met(1_001, 1_100, 16))
    }

    @Test func shortAnswersAreJudgedByTheirEnd() {
        #expect(met(1_500, 1_960, 10) && !met(100, 1_961, 10))
    }

    @Test func whatIsNotPromisedCannotBeBroken() {
        let none = LatencyObjective()
        #expect(none.isMet(firstToken: .seconds(99), end: .seconds(999), outputTokens: 5))
        let first = LatencyObjective(timeToFirstToken: .seconds(1))
        #expect(first.isMet(firstToken: .seconds(1), end: .seconds(99), outputTokens: 50))
        #expect(!first.isMet(firstToken: .seconds(2), end: .seconds(2), outputTokens: 1))
    }
}
