import InferenceTypes
import Testing

@testable import Scheduling

@Suite struct LengthHistogramTests {
    @Test func bucketsAreContiguousAndInOrder() {
        for length in 0..<20_000 {
            let bucket = LengthHistogram.bucket(length)
            #expect(LengthHistogram.start(of: bucket) <= length)
            #expect(length < LengthHistogram.start(of: bucket + 1))
        }
        #expect(LengthHistogram.bucket(1 << 40) == LengthHistogram.buckets - 1)
        #expect(LengthHistogram.bucket(-5) == 0)
    }

    @Test func workedNumbers() throws {
        var histogram = LengthHistogram()
        for length in [10, 10, 100, 1_000] { histogram.add(length) }
        let after50 = try #require(histogram.expectedRest(after: 50))
        #expect((after50 / 481.5 - 1).magnitude < 0.01)
        let after200 = try #require(histogram.expectedRest(after: 200))
        #expect((after200 / 760 - 1).magnitude < 0.01)
        #expect(histogram.expectedRest(after: 2_000) == nil)
    }

    /// Of exponential lengths the rest does not depend on what has come.
    @Test func aMemorylessKindOfAnswerHasAlwaysAsMuchToCome() throws {
        var random = RandomSource(seed: 1)
        var histogram = LengthHistogram()
        for _ in 0..<499 {
            histogram.add(Int(-200 * Mathematics.log(1 - random.nextUnit())))
        }
        for after in [0, 50, 200, 400] {
            let rest = try #require(histogram.expectedRest(after: after))
            #expect((rest / 200 - 1).magnitude < 0.25)
        }
        #expect((histogram.quantile(0.9) / (200 * 2.3026) - 1).magnitude < 0.15)
    }

    @Test func oldAnswersAreForgotten() throws {
        var histogram = LengthHistogram()
        for _ in 0..<5_000 { histogram.add(1_000) }
        for _ in 0..<2_500 { histogram.add(10) }
        #expect(histogram.total <= LengthHistogram.memory + 1)
        #expect(try #require(histogram.expectedRest(after: 0)) < 50)
    }

    private func request(_ tenant: Int, bytes: Int) -> InferenceRequest {
        InferenceRequest(
            id: RequestID(1), tenant: TenantID(tenant), model: ModelID(0), task: .chat,
            streams: true, promptBytes: bytes)
    }

    @Test func belowThirtyAnswersTheModelAndTaskCount() throws {
        var statistics = TokenStatistics(modelCount: 1, tenantCount: 2)
        #expect(
            statistics.expectedRest(after: 0, of: request(0, bytes: 400), inputTokens: 100) == nil)
        for _ in 0..<40 {
            statistics.learn(
                from: Usage(inputTokens: 100, outputTokens: 50), of: request(0, bytes: 400),
                sequences: 1)
        }
        func rest(_ tenant: Int) throws -> Double {
            try #require(
                statistics.expectedRest(
                    after: 0, of: request(tenant, bytes: 400), inputTokens: 100))
        }
        // Nobody knows the other tenant yet.
        #expect((try rest(1) / 50 - 1).magnitude < 0.1)
        for _ in 0..<30 {
            statistics.learn(
                from: Usage(inputTokens: 100, outputTokens: 400), of: request(1, bytes: 400),
                sequences: 1)
        }
        #expect((try rest(1) / 400 - 1).magnitude < 0.1)
        #expect((try rest(0) / 50 - 1).magnitude < 0.1)
        #expect(
            statistics.expectedRest(after: 90_000, of: request(0, bytes: 4), inputTokens: 1)
                == nil)
    }
}
