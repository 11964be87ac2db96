import InferenceTypes
import Testing

@testable import Scheduling

@Suite struct StatisticsTests {
    @Test func meanStartsAtItsPrior() {
        var mean = TokenStatistics.Mean(prior: 200, weight: 4, memory: 200)
        mean.add(100)
        #expect(mean.value == 180)
        mean.add(100)
        #expect((mean.value - 166.667).magnitude < 1e-2)
        for _ in 0..<2_000 { mean.add(50) }
        #expect((mean.value - 50).magnitude < 1)
    }

    @Test func learnsBytesPerTokenWithinBounds() {
        var statistics = TokenStatistics(modelCount: 2, tenantCount: 0)
        let request = chat(1, bytes: 4_620)
        #expect(statistics.inputTokens(of: request) == 1_155)
        for _ in 0..<1_000 {
            statistics.learn(
                from: Usage(inputTokens: 2_310), of: request, sequences: 1)
        }
        #expect((statistics.bytesPerToken(of: ModelID(0)) - 2).magnitude < 0.05)
        #expect(statistics.bytesPerToken(of: ModelID(1)) == 4)
        for _ in 0..<1_000 {
            statistics.learn(from: Usage(inputTokens: .max), of: request, sequences: 1)
        }
        #expect(statistics.bytesPerToken(of: ModelID(0)) >= 0.5)
        #expect(statistics.inputTokens(of: chat(1, bytes: .max)) == 1 << 24)
        #expect(statistics.inputTokens(of: chat(1, bytes: .min)) == 0)
    }

    @Test func learnsOutputLengthsByPromptLength() {
        var statistics = TokenStatistics(modelCount: 1, tenantCount: 0)
        let short = chat(1, bytes: 400)
        #expect(statistics.outputTokens(of: short, inputTokens: 100) == 200)
        for _ in 0..<2_000 {
            statistics.learn(
                from: Usage(inputTokens: 100, outputTokens: 60), of: short, sequences: 2)
        }
        #expect(statistics.outputTokens(of: short, inputTokens: 127) == 30)
        #expect(statistics.outputTokens(of: short, inputTokens: 128) == 200)
        let limited = chat(1, output: 7)
        #expect(statistics.outputTokens(of: limited, inputTokens: 100) == 7)
        #expect(statistics.outputTokens(of: chat(1, output: -9), inputTokens: 100) == 1)
        #expect(statistics.outputTokens(of: chat(1, model: 9), inputTokens: 100) == 200)
        var embedding = short
        embedding.task = .embedding
        #expect(statistics.outputTokens(of: embedding, inputTokens: 100) == 0)
    }

    @Test func absentUsageTeachesNothing() {
        var statistics = TokenStatistics(modelCount: 1, tenantCount: 0)
        statistics.learn(from: Usage(), of: chat(1), sequences: 1)
        #expect(statistics.bytesPerToken(of: ModelID(0)) == 4)
        #expect(statistics.outputTokens(of: chat(1), inputTokens: 200) == 200)
    }

    @Test func paceGivesTheTimeOfAQueue() {
        var pace = CompletionPace()
        #expect(pace.time(for: 3) == .seconds(3))
        for tick in 0..<5 {
            pace.ended(at: MonotonicTime.zero + .milliseconds(Int64(tick) * 200))
        }
        #expect((pace.time(for: 10).seconds - 2).magnitude < 1e-6)
    }
}
