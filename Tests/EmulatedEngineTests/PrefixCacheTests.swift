import InferenceTypes
import Testing

@testable import EmulatedEngine

@Suite struct PrefixCacheTests {
    private let at = EngineFixtures.milliseconds

    private func blocks(_ range: Range<UInt64>) -> [UInt64] { range.map { $0 + 1_000 } }

    @Test func theLeastRecentlyUsedGoFirstAndEndsBeforeBeginnings() {
        var cache = PrefixCache()
        cache.use(blocks(0..<4)[...], most: 10)
        cache.use(blocks(10..<14)[...], most: 10)
        cache.use(blocks(0..<4)[...], most: 10)
        cache.use(blocks(20..<24)[...], most: 10)
        #expect(cache.count == 10)
        #expect(cache.match(blocks(0..<4)) == 4)
        #expect(cache.match(blocks(10..<14)) == 2)
        #expect(cache.match(blocks(20..<24)) == 4)
        cache.trim(to: 0)
        #expect(cache.count == 0 && cache.match(blocks(0..<4)) == 0)
        cache.use(blocks(0..<9)[...], most: 3)
        #expect(cache.match(blocks(0..<9)) == 3)
    }

    @Test func aCacheOfManyIsTheSameAsAListInOrderOfUse() {
        var cache = PrefixCache()
        var list: [UInt64] = []
        var random = RandomSource(seed: 4)
        for _ in 0..<3_000 {
            let first = UInt64(random.nextIndex(below: 60))
            let used = blocks(first..<first + UInt64(random.nextIndex(below: 6)))
            let most = random.nextIndex(below: 40)
            list.removeAll { used.contains($0) }
            list.insert(contentsOf: used, at: 0)
            list = Array(list.prefix(most))
            cache.use(used[...], most: most)
            #expect(cache.count == list.count)
            #expect(list.allSatisfy { cache.match([$0]) == 1 })
        }
    }

    private func request(_ id: UInt64, tokens: Int, blocks: [UInt64]) -> EngineRequest {
        var request = EngineRequest(id: id, inputTokens: tokens, outputTokens: 3)
        request.prefix = blocks
        return request
    }

    /// 1,000 tokens of prefill take 100 ms; of a prompt that was there but for 104 tokens 10.4 ms.
    @Test func onlyWhatIsNotCachedIsComputed() {
        var engine = EmulatedEngine(profile: EngineFixtures.gpu, kind: .vllm, seed: 1)
        let prompt = blocks(0..<15)
        engine.submit(request(1, tokens: 1_000, blocks: prompt), at: .zero)
        let first = engine.drain()
        let then = at(5_000)
        engine.submit(request(2, tokens: 1_000, blocks: prompt.dropLast() + [7]), at: then)
        let second = engine.drain()
        #expect(first.contains(.started(id: 1, at: .zero, cachedTokens: 0)))
        #expect(second.contains(.started(id: 2, at: then, cachedTokens: 14 * 64)))
        #expect(second.contains(
            .tokens(id: 2, firstIndex: 0, count: 1, at: then + .microseconds(10_400))))
        #expect(engine.counters.promptTokens == 2_000)
        #expect(engine.counters.cachedPromptTokens == 896)
    }

    @Test func aSleeperForgetsAndOthersFindNothing() {
        var engine = EmulatedEngine(profile: EngineFixtures.gpu, kind: .vllm, seed: 1)
        engine.submit(request(1, tokens: 1_000, blocks: blocks(0..<15)), at: .zero)
        _ = engine.drain()
        engine.submit(request(2, tokens: 1_000, blocks: blocks(50..<65)), at: at(5_000))
        _ = engine.drain()
        #expect(engine.counters.cachedPromptTokens == 0)
        let slept = engine.sleep(at: at(9_000))
        let woken = engine.wake(at: at(9_000))
        #expect(slept && woken)
        _ = engine.drain()
        engine.submit(request(3, tokens: 1_000, blocks: blocks(0..<15)), at: at(20_000))
        _ = engine.drain()
        #expect(engine.counters.cachedPromptTokens == 0)
    }

    @Test func theCacheHasTheBlocksThatNobodyUses() {
        var options = EngineOptions()
        options.kvBlocks = 100
        options.kvBlockTokens = 16
        var engine = EmulatedEngine(
            profile: EngineFixtures.gpu, kind: .vllm, seed: 1, options: options)
        for id in UInt64(1)..<20 {
            let own = blocks(id * 100..<id * 100 + 15)
            engine.submit(request(id, tokens: 1_000, blocks: own), at: at(Double(id) * 1_000))
            _ = engine.drain()
            #expect(engine.prefixCache.count <= 100 * 16 / EngineRequest.prefixBlockTokens)
        }
        #expect(engine.prefixCache.count > 0)
    }
}
