import EmulatedEngine
import InferenceTypes
import Testing

/// As many requests as the batch at all times: the profile's own figures must come out.
@Suite struct ClosedLoopTests {
    private func rate(
        _ profile: Profile, _ kind: EngineKind, batch: Int, reporting: TokenReporting
    ) -> (tokensPerSecond: Double, watts: Double) {
        var options = EngineOptions()
        options.reporting = reporting
        var engine = EmulatedEngine(profile: profile, kind: kind, seed: 1, options: options)
        var random = RandomSource(seed: 42)
        var nextID: UInt64 = 0
        func request() -> EngineRequest {
            nextID += 1
            return EngineRequest(
                id: nextID, inputTokens: 4, outputTokens: 400 + random.nextIndex(below: 800))
        }
        for _ in 0..<batch { engine.submit(request(), at: .zero) }
        let end = MonotonicTime.zero + .seconds(65)
        var output: [EngineOutput] = []
        var start: (at: MonotonicTime, tokens: Int, energy: Double)?
        while let next = engine.nextEvent(), next <= end {
            output.removeAll(keepingCapacity: true)
            engine.advance(to: next, into: &output)
            for case .finished(_, _, let at, _) in output { engine.submit(request(), at: at) }
            if start == nil, next.seconds >= 5 {
                start = (
                    next, engine.counters.generationTokens, engine.energy(upTo: next).value
                )
            }
        }
        _ = engine.advance(to: end)
        guard let start else { return (0, 0) }
        let seconds = (end - start.at).seconds
        let tokens = engine.counters.generationTokens - start.tokens
        let energy = engine.energy(upTo: end).value - start.energy
        return (Double(tokens) / seconds, energy / seconds)
    }

    @Test(arguments: [1, 8, 16, 64, 96, 128, 192])
    func givesTheTablesRateAndPower(batch: Int) {
        let knots = EngineFixtures.h100.knots
        // At these batches a knot lies within 0.4 %.
        let nearest = knots.min { abs($0.batch - Double(batch)) < abs($1.batch - Double(batch)) }
        let rate = rate(EngineFixtures.h100, .vllm, batch: batch, reporting: .firstToken)
        let expected = Double(batch) / (nearest?.iterationTime.seconds ?? 1)
        #expect(isClose(rate.tokensPerSecond, expected, relative: 0.02))
        #expect(isClose(rate.watts, nearest?.power.value ?? 0, relative: 0.02))
    }

    @Test func reportingDoesNotChangeThePhysics() {
        let few = rate(EngineFixtures.h100, .vllm, batch: 16, reporting: .firstToken)
        let every = rate(EngineFixtures.h100, .vllm, batch: 16, reporting: .everyToken)
        #expect(isClose(few.tokensPerSecond, every.tokensPerSecond, relative: 1e-3))
        #expect(isClose(few.watts, every.watts, relative: 1e-3))
    }

    @Test func perturbedTruthIsSlowerAndHungrier() {
        var options = EngineOptions()
        options.timeFactor = 1.3
        options.powerFactor = 0.7
        var engine = EmulatedEngine(
            profile: EngineFixtures.flat, kind: .vllm, seed: 1, options: options)
        engine.submit(EngineRequest(id: 1, inputTokens: 100, outputTokens: 3), at: .zero)
        let times = engine.drain().tokenTimes(of: 1)
        #expect(isClose(times.last ?? 0, 0.039))
        #expect(isClose(engine.energy(upTo: .zero + .milliseconds(39)).value, 0.91 * 12))
    }
}
