import EmulatedEngine
import InferenceTypes
import Testing

@testable import EnergyModel

/// How well the curve through knots foretells batch sizes that it was not shown, and what an
/// engine that follows it draws.
@Suite struct PublishedCurveTests {
    /// Every point of every H100 group with five batch sizes or more is left out once; ends
    /// count, too. Energy of a step through `LogLogInterpolation`; seen: 3.5 % and 8.6 %. Through
    /// the profile's two curves, power and time: 3.7 % and 8.6 %.
    @Test func aLeftOutBatchIsForetold() throws {
        var errors: [Double] = []
        var errorsOfTwoCurves: [Double] = []
        let groups = try Published.leaderboard(on: "H100").values.filter { $0.count >= 5 }
        #expect(groups.count >= 6)
        for rows in groups {
            for (position, left) in rows.enumerated() {
                var rest = rows
                rest.remove(at: position)
                let line = LogLogInterpolation(rest.map { ($0.batch, $0.iterationJoules) })
                errors.append((line.value(at: left.batch) / left.iterationJoules - 1).magnitude)
                let time = LogLogInterpolation(rest.map { ($0.batch, $0.iterationSeconds) })
                let power = LogLogInterpolation(rest.map { ($0.batch, $0.watts) })
                let joules = time.value(at: left.batch) * power.value(at: left.batch)
                errorsOfTwoCurves.append((joules / left.iterationJoules - 1).magnitude)
            }
        }
        print(
            "left out, \(errors.count) points: median \(quantile(0.5, errors)), p90",
            quantile(0.9, errors), "two curves:", quantile(0.5, errorsOfTwoCurves),
            quantile(0.9, errorsOfTwoCurves))
        #expect(quantile(0.5, errors) <= 0.036)
        #expect(quantile(0.9, errors) <= 0.09)
        #expect(quantile(0.5, errorsOfTwoCurves) <= 0.037)
        #expect(quantile(0.9, errorsOfTwoCurves) <= 0.09)
    }

    @Test func stepsGetNeitherFasterNorCheaperWithMoreSequences() throws {
        for accelerator in ["H100", "B200"] {
            for rows in try Published.leaderboard(on: accelerator).values {
                let curve = IterationCurve(Published.profile(rows))
                for batch in 1...curve.capacity {
                    let before = batch - 1
                    #expect(
                        curve.iterationTime(batch: batch) >= curve.iterationTime(batch: before))
                    #expect(
                        curve.energyAboveIdle(batch: batch)
                            >= curve.energyAboveIdle(batch: before))
                }
            }
        }
    }

    /// As many chats as the row's batch at all times, with answers around the row's mean length:
    /// the engine gives the row's power and tokens per second back. The rows' step times contain
    /// the prefill of their prompts, so prompts are free here.
    @Test(arguments: ["meta-llama/Llama-3.1-8B-Instruct bfloat16 1",
        "meta-llama/Llama-3.3-70B-Instruct bfloat16 4"])
    func anEngineKeptAtABatchDrawsWhatTheTableSays(_ group: String) throws {
        let rows = try #require(try Published.leaderboard(on: "H100")[group])
        let profile = Published.profile(rows)
        var worst = (watts: 0.0, rate: 0.0)
        for row in rows where row.batch <= 260 {
            let seen = Self.closedLoop(profile, batch: Int(row.batch.rounded()), row)
            worst.watts = max(worst.watts, (seen.watts / row.watts - 1).magnitude)
            worst.rate = max(
                worst.rate, (seen.tokensPerSecond / row.tokensPerSecond - 1).magnitude)
        }
        print(group, "worst:", worst)
        #expect(worst.watts <= 0.02)
        #expect(worst.rate <= 0.02)
    }

    private static func closedLoop(
        _ profile: Profile, batch: Int, _ row: Published.Operation
    ) -> (watts: Double, tokensPerSecond: Double) {
        var options = EngineOptions()
        options.reporting = .firstToken
        var engine = EmulatedEngine(profile: profile, kind: .vllm, seed: 1, options: options)
        var random = RandomSource(seed: 7)
        var id: UInt64 = 0
        func chat(_ engine: inout EmulatedEngine, at now: MonotonicTime) {
            id += 1
            let length = row.outputTokens * (0.5 + random.nextUnit())
            engine.submit(
                EngineRequest(id: id, inputTokens: 1, outputTokens: Int(length)), at: now)
        }
        for _ in 0..<batch { chat(&engine, at: .zero) }
        let start = MonotonicTime.zero + .seconds(20)
        let end = start + .seconds(40)
        var output: [EngineOutput] = []
        var before: (tokens: Int, energy: Double)?
        while let next = engine.nextEvent(), next <= end {
            if before == nil, next > start {
                engine.advance(to: start, into: &output)
                before = (engine.counters.generationTokens, engine.energy(upTo: start).value)
            }
            engine.advance(to: next, into: &output)
            for case .finished(_, _, let at, _) in output { chat(&engine, at: at) }
            output.removeAll(keepingCapacity: true)
        }
        engine.advance(to: end, into: &output)
        guard let before else { return (.nan, .nan) }
        let tokens = Double(engine.counters.generationTokens - before.tokens)
        let joules = engine.energy(upTo: end).value - before.energy
        return (joules / 40, tokens / 40)
    }
}
