import InferenceTypes
import Testing

@testable import EmulatedEngine

/// Durations and watts against arithmetic done by hand.
@Suite struct StepTests {
    @Test func interpolatesInLogLogScale() {
        let table = DecodeTable(
            profile: EngineFixtures.profile(knots: [(8, 10, 100), (32, 20, 400)]), largest: 64,
            timeFactor: 1, powerFactor: 1)
        // Half-way between 8 and 32 in log: the geometric means.
        #expect(isClose(Double(table.durations[16]) / 1e6, 14.142_135, relative: 1e-5))
        #expect(isClose(table.watts[16], 200))
        // Below the first knot its values; beyond the last one the slope (x2 per x4), power held.
        #expect(table.durations[1] == 10_000_000)
        #expect(isClose(Double(table.durations[64]) / 1e6, 28.284_271, relative: 1e-5))
        #expect(table.watts[64] == 400)
    }

    @Test func lonelyRequestPrefillsAndDecodes() {
        var engine = EmulatedEngine(profile: EngineFixtures.gpu, kind: .vllm, seed: 1)
        engine.submit(EngineRequest(id: 7, inputTokens: 100, outputTokens: 3), at: .zero)
        let output = engine.drain()
        // 100 tokens at 10,000/s: 10 ms to the first token, then 10 ms each.
        #expect(output.tokenTimes(of: 7) == [0.010, 0.020, 0.030])
        let end = output.end(of: 7)
        #expect(end?.reason == .stop)
        // 10 ms at 600 W, 20 ms at 200 W.
        #expect(isClose(end?.energy.prefill.value ?? 0, 6))
        #expect(isClose(end?.energy.decode.value ?? 0, 4))
        #expect(engine.running == 0)
        #expect(engine.kvUsage == 0)
    }

    @Test func mixedStepTakesBothTimesAndWeighsBothPowers() {
        var engine = EmulatedEngine(profile: EngineFixtures.flat, kind: .vllm, seed: 1)
        engine.submit(EngineRequest(id: 1, inputTokens: 10, outputTokens: 100), at: .zero)
        _ = engine.advance(to: EngineFixtures.milliseconds(5))
        // First step: 1 ms prefill. Steps of 10 ms end at 11, 21 ...; the second request comes
        // at 15 and joins the step from 21: 10 ms decode + 200 / 10,000 s = 30 ms.
        engine.submit(
            EngineRequest(id: 2, inputTokens: 200, outputTokens: 5),
            at: EngineFixtures.milliseconds(15))
        let output = engine.advance(to: EngineFixtures.milliseconds(30))
        #expect(output.contains(.started(id: 2, at: EngineFixtures.milliseconds(21))))
        // (10 ms x 300 W + 20 ms x 600 W) / 30 ms = 500 W.
        #expect(isClose(engine.power(at: EngineFixtures.milliseconds(30)).value, 500))
        let later = engine.advance(to: EngineFixtures.milliseconds(62))
        #expect(isClose(later.tokenTimes(of: 2).first ?? 0, 0.051))
        #expect(later.tokenTimes(of: 1).prefix(2).elementsEqual([0.051, 0.061]))
    }

    @Test func prefillIsCutIntoChunksOfTheBudget() {
        var options = EngineOptions()
        options.maxBatchedTokens = 100
        var engine = EmulatedEngine(
            profile: EngineFixtures.flat, kind: .vllm, seed: 1, options: options)
        engine.submit(EngineRequest(id: 1, inputTokens: 250, outputTokens: 1), at: .zero)
        _ = engine.drain()
        let counters = engine.counters
        #expect(counters.iterations == 3)
        #expect(counters.iterationTokens == 250)
        #expect(counters.promptTokens == 250)
        #expect(counters.generationTokens == 1)
    }

    @Test func cachedTokensNeedNoPrefill() {
        var engine = EmulatedEngine(profile: EngineFixtures.flat, kind: .vllm, seed: 1)
        engine.submit(
            EngineRequest(id: 1, inputTokens: 100, cachedTokens: 90, outputTokens: 1),
            at: .zero)
        #expect(engine.drain().tokenTimes(of: 1) == [0.001])
        #expect(engine.counters.cachedPromptTokens == 90)
    }

    @Test func decodeStairsFollowTheBuckets() {
        // Batches 1 to 4 decode alike, 5 costs what 8 costs.
        for (batch, milliseconds, watts) in [
            (1, 10.0, 100.0), (2, 14, 140), (4, 14, 140), (5, 20, 160), (8, 20, 160),
            (9, 30, 180),
        ] {
            var engine = EmulatedEngine(profile: EngineFixtures.npu, kind: .vllmRBLN, seed: 1)
            for id in 0..<UInt64(batch) {
                engine.submit(EngineRequest(id: id, inputTokens: 10, outputTokens: 50), at: .zero)
            }
            // Prefills, one after the other: 10 ms each. Then decode only.
            let start = Double(batch) * 10
            _ = engine.advance(to: EngineFixtures.milliseconds(start + 1))
            #expect(engine.running == batch)
            #expect(isClose(engine.power(at: EngineFixtures.milliseconds(start + 1)).value, watts))
            let output = engine.advance(to: EngineFixtures.milliseconds(start + 65))
            let times = output.tokenTimes(of: 0)
            let gap = (times.last ?? 0) - (times.dropLast().last ?? 0)
            #expect(isClose(gap, milliseconds / 1e3))
        }
    }

    @Test func prefillOnAnNPUIsExclusiveAndFirst() {
        var engine = EmulatedEngine(profile: EngineFixtures.npu, kind: .vllmRBLN, seed: 1)
        engine.submit(EngineRequest(id: 1, inputTokens: 10, outputTokens: 50), at: .zero)
        _ = engine.advance(to: EngineFixtures.milliseconds(11))
        // Decode steps of 10 ms from 10; two arrive at 12, prefill 100 ms each from 20.
        for id in [UInt64(2), 3] {
            engine.submit(
                EngineRequest(id: id, inputTokens: 100, outputTokens: 50),
                at: EngineFixtures.milliseconds(12))
        }
        let output = engine.advance(to: EngineFixtures.milliseconds(240))
        #expect(output.tokenTimes(of: 2).first == 0.120)
        #expect(output.tokenTimes(of: 3).first == 0.220)
        // The first stood still from 20 to 220, then bucket 4: 14 ms.
        #expect(output.tokenTimes(of: 1) == [0.020, 0.234])
    }

    @Test func slotsLimitAndDeferOnACPU() {
        var options = EngineOptions()
        options.slots = 2
        var engine = EmulatedEngine(
            profile: EngineFixtures.flat, kind: .llamaServer, seed: 1, options: options)
        for id in 0..<UInt64(5) {
            engine.submit(EngineRequest(id: id, inputTokens: 1_000, outputTokens: 4), at: .zero)
        }
        // Micro-batches of 512: the first prompt fills one, the second joins the second one.
        _ = engine.advance(to: EngineFixtures.milliseconds(52))
        #expect(engine.running == 2)
        #expect(engine.waiting == 3)
        let output = engine.drain()
        #expect(isClose(output.tokenTimes(of: 0).first ?? 0, 0.1024))
        for id in 0..<UInt64(5) { #expect(output.end(of: id) != nil) }
        #expect(engine.counters.preemptions == 0)
        #expect(engine.kvUsage == 0)
    }

    @Test func encodersRunInOnePassPerBatch() {
        var engine = EmulatedEngine(profile: EngineFixtures.classifier, kind: .vllmRBLN, seed: 1)
        for id in 0..<UInt64(11) {
            engine.submit(EngineRequest(id: id, task: .classify, inputTokens: 40), at: .zero)
        }
        let output = engine.drain()
        // Eight in 4 ms at 52 W, then three in bucket 4: 2.6 ms at 45 W.
        #expect(output.end(of: 7)?.at == 0.004)
        #expect(output.end(of: 10)?.at == 0.0066)
        #expect(isClose(output.end(of: 0)?.energy.total.value ?? 0, 0.004 * 52 / 8))
        #expect(isClose(output.end(of: 9)?.energy.total.value ?? 0, 0.0026 * 45 / 3))
        #expect(engine.counters.promptTokens == 440)
        #expect(engine.counters.generationTokens == 0)
    }

    @Test func warmUpHoldsRequestsBack() {
        var options = EngineOptions()
        options.warmUp = .seconds(2)
        var engine = EmulatedEngine(
            profile: EngineFixtures.flat, kind: .vllm, seed: 1, options: options)
        engine.submit(EngineRequest(id: 1, inputTokens: 10, outputTokens: 1), at: .zero)
        #expect(!engine.isReady(at: EngineFixtures.milliseconds(1_999)))
        #expect(engine.drain().tokenTimes(of: 1) == [2.001])
        #expect(isClose(engine.energyByState(upTo: .zero + .seconds(2)).idle.value, 200))
    }
}
