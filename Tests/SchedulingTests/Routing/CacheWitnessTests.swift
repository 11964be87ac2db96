import InferenceTypes
import Testing

@testable import Scheduling

/// Counters of a server against what was believed of its cache.
@Suite struct CacheWitnessTests {
    private typealias Report = Scheduler.CacheReport

    private func witness(_ requests: Int, believed: Int, of input: Int) -> CacheWitness {
        var witness = CacheWitness()
        #expect(witness.read(Report(promptTokens: 1e6, cachedPromptTokens: 5e5)) == .none)
        for _ in 0..<requests { witness.placed(believed: believed, of: input) }
        return witness
    }

    private func report(_ prompt: Double, _ cached: Double) -> Report {
        Report(promptTokens: 1e6 + prompt, cachedPromptTokens: 5e5 + cached)
    }

    @Test func sharesOfAWindowAreCompared() {
        var witness = witness(10, believed: 600, of: 1_000)
        // The server counts tokens a fifth shorter: 3,750 of 12,500 are three tenths.
        #expect(
            witness.read(report(12_500, 3_750))
                == .found(.init(believed: 6_000, said: 3_000, requests: 10)))
        #expect(witness.isHeard)
    }

    @Test func aWindowLastsUntilItHasEnoughRequests() {
        var witness = witness(7, believed: 600, of: 1_000)
        #expect(witness.read(report(7_000, 0)) == .none)
        witness.placed(believed: 600, of: 1_000)
        #expect(
            witness.read(report(8_000, 0))
                == .found(.init(believed: 4_800, said: 0, requests: 8)))
        #expect(witness.read(report(8_000, 0)) == .none)
    }

    @Test(arguments: [2_000.0, 50_000])
    func whatOthersUseTellsNothing(counted: Double) {
        var witness = witness(10, believed: 600, of: 1_000)
        #expect(witness.read(report(counted, 0)) == .none)
        #expect(!witness.isHeard)
    }

    @Test func countersThatBeginAgainAreARestart() {
        var witness = witness(10, believed: 600, of: 1_000)
        #expect(witness.read(Report(promptTokens: 0, cachedPromptTokens: 0)) == .restarted)
        #expect(witness.read(Report(promptTokens: 9, cachedPromptTokens: 0)) == .none)
    }

    @Test(arguments: [
        Scheduler.CacheReport(), .init(promptTokens: 5), .init(cachedPromptTokens: 5),
        .init(promptTokens: .nan, cachedPromptTokens: 1),
        .init(promptTokens: .infinity, cachedPromptTokens: .infinity),
    ])
    func pagesWithoutCountersTellNothing(_ report: Scheduler.CacheReport) {
        var witness = witness(10, believed: 600, of: 1_000)
        #expect(witness.read(report) == .none)
        #expect(!witness.isHeard)
    }

    @Test func sumsThatOverflowDoNotTrap() {
        var witness = witness(0, believed: 0, of: 1)
        for _ in 0..<9 { witness.placed(believed: .max, of: .max) }
        _ = witness.read(report(1e300, 1e300))
    }

    @Test func manyRequestsMoveTheFactorAsFarAsOneByOne() {
        var one = HitFactor()
        var many = HitFactor()
        let now = MonotonicTime(nanoseconds: 1)
        for _ in 0..<9 { one.observe(believed: 100, said: 30, at: now) }
        many.observe(believed: 900, said: 270, requests: 9, at: now)
        #expect(abs(one.value(at: now) - many.value(at: now)) < 1e-9)
    }
}
