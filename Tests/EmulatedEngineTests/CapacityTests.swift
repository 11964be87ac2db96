import EmulatedEngine
import InferenceTypes
import Testing

/// Queues, KV blocks, rejection, cancellation.
@Suite struct CapacityTests {
    private func small(blocks: Int, sequences: Int = 8) -> EmulatedEngine {
        var options = EngineOptions()
        options.kvBlocks = blocks
        options.maxSequences = sequences
        return EmulatedEngine(
            profile: EngineFixtures.flat, kind: .vllm, seed: 1, options: options)
    }

    @Test func shortOfBlocksTheNewestIsPreemptedAndComputedAgain() {
        // Ten blocks of 16: three prompts of 47 tokens take three each (with the next token).
        var engine = small(blocks: 10)
        for id in 0..<UInt64(3) {
            engine.submit(EngineRequest(id: id, inputTokens: 47, outputTokens: 60), at: .zero)
        }
        var output = engine.advance(to: EngineFixtures.milliseconds(100))
        #expect(engine.counters.preemptions == 1)
        #expect(engine.running == 2)
        #expect(engine.waiting == 1)
        output += engine.drain()
        for id in 0..<UInt64(3) {
            #expect(output.tokenTimes(of: id).count == 60)
            #expect(output.end(of: id)?.reason == .stop)
        }
        // The newest lost its place, not its tokens.
        #expect((output.end(of: 2)?.at ?? 0) > (output.end(of: 0)?.at ?? 1))
        #expect(engine.counters.promptTokens == 3 * 47)
        #expect(engine.counters.generationTokens == 180)
        #expect(engine.counters.iterationTokens > 3 * 47 + 3 * 59)
        #expect(engine.kvUsage == 0)
    }

    @Test func waitsWhileBlocksAreShort() {
        var engine = small(blocks: 10)
        engine.submit(EngineRequest(id: 1, inputTokens: 100, outputTokens: 10), at: .zero)
        engine.submit(EngineRequest(id: 2, inputTokens: 100, outputTokens: 10), at: .zero)
        _ = engine.advance(to: EngineFixtures.milliseconds(12))
        #expect(engine.running == 1)
        #expect(engine.waiting == 1)
        #expect(engine.kvUsage == 0.7)
        _ = engine.drain()
        #expect(engine.counters.finishedByStop == 2)
    }

    @Test func contextEndsTheOutputByLength() {
        var engine = small(blocks: 2)
        engine.submit(EngineRequest(id: 1, inputTokens: 30, outputTokens: 10), at: .zero)
        let output = engine.drain()
        #expect(output.tokenTimes(of: 1).count == 2)
        #expect(output.end(of: 1)?.reason == .length)
    }

    @Test func rejectsWhatCanNeverRunAndWhatExceedsTheQueue() {
        var options = EngineOptions()
        options.maxModelLength = 100
        options.maxWaiting = 1
        var engine = EmulatedEngine(
            profile: EngineFixtures.flat, kind: .vllm, seed: 1, options: options)
        engine.submit(EngineRequest(id: 1, inputTokens: 100, outputTokens: 1), at: .zero)
        engine.submit(EngineRequest(id: 2, inputTokens: 10, outputTokens: 1), at: .zero)
        engine.submit(EngineRequest(id: 3, inputTokens: 10, outputTokens: 1), at: .zero)
        let output = engine.drain()
        #expect(output.contains(.rejected(id: 1, reason: .promptTooLong, at: .zero)))
        #expect(output.contains(.rejected(id: 3, reason: .queueFull, at: .zero)))
        #expect(output.end(of: 2) != nil)
        #expect(engine.counters.rejected == 2)
    }

    @Test func cancellingFreesTheSlotAndTheBlocks() {
        var engine = small(blocks: 100, sequences: 1)
        engine.submit(EngineRequest(id: 1, inputTokens: 100, outputTokens: 1_000), at: .zero)
        engine.submit(EngineRequest(id: 2, inputTokens: 100, outputTokens: 2), at: .zero)
        _ = engine.advance(to: EngineFixtures.milliseconds(35))
        let cost = engine.cancel(1, at: EngineFixtures.milliseconds(35))
        #expect(engine.running == 0)
        #expect(engine.kvUsage == 0)
        // 10 ms prefill at 600 W and 25 ms decode at 300 W.
        #expect(isClose(cost?.total.value ?? 0, 6 + 7.5))
        #expect(engine.cancel(1, at: EngineFixtures.milliseconds(35)) == nil)
        let output = engine.drain()
        // The step in flight ends at 40 ms; the rest of it is nobody's.
        #expect(isClose(engine.unattributedEnergy.value, 1.5))
        #expect(isClose(output.tokenTimes(of: 2).first ?? 0, 0.050))
        #expect(output.tokenTimes(of: 1).isEmpty)
        #expect(engine.counters.cancelled == 1)
    }

    @Test func cancellingInTheQueueCostsNothing() {
        var engine = small(blocks: 100, sequences: 1)
        engine.submit(EngineRequest(id: 1, inputTokens: 10, outputTokens: 5), at: .zero)
        engine.submit(EngineRequest(id: 2, inputTokens: 10, outputTokens: 5), at: .zero)
        #expect(engine.cancel(2, at: .zero) == RequestEnergy())
        #expect(engine.cancel(1, at: .zero) == RequestEnergy())
        #expect(engine.nextEvent() == nil)
        #expect(engine.drain().isEmpty)
    }
}
