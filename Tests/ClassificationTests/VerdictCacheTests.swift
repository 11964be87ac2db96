import InferenceTypes
import Scheduling
import Testing

@testable import Classification

@Suite struct VerdictCacheTests {
    private let key = SipHash.Key(11, 12)

    private func digest(_ text: String) -> SipHash.Digest {
        Array(text.utf8).withUnsafeBytes { SipHash.digest($0, key: key) }
    }

    private func verdict(_ text: String) -> VerdictCache.Verdict {
        VerdictCache.Verdict(members: Array(text.utf8))
    }

    @Test func aVerdictIsKeptForItsTime() {
        var cache = VerdictCache(capacity: 64, lifetime: .seconds(10))
        cache.insert(verdict("a"), for: digest("x"), at: .zero)
        let fresh = cache.verdict(for: digest("x"), at: .zero + .milliseconds(9_999))
        let other = cache.verdict(for: digest("y"), at: .zero)
        let old = cache.verdict(for: digest("x"), at: .zero + .seconds(10))
        #expect(fresh == verdict("a"))
        #expect(other == nil)
        #expect(old == nil)
        #expect(cache.count == 0)
        #expect((cache.hits, cache.misses) == (1, 2))
    }

    @Test func itNeverGrows() {
        var cache = VerdictCache(capacity: 256, lifetime: .seconds(10))
        for number in 0..<10_000 {
            let now = MonotonicTime(nanoseconds: Int64(number))
            cache.insert(verdict("\(number)"), for: digest("\(number)"), at: now)
        }
        #expect(cache.capacity == 256)
        #expect(cache.count <= 256)
        let now = MonotonicTime(nanoseconds: 10_000)
        // The last ones are there.
        for number in 9_990..<10_000 {
            let found = cache.verdict(for: digest("\(number)"), at: now)
            #expect(found == verdict("\(number)"))
        }
    }

    @Test func longVerdictsAreNotKept() {
        var cache = VerdictCache(capacity: 4, lifetime: .seconds(10))
        let long = VerdictCache.Verdict(
            members: [UInt8](repeating: 0, count: VerdictCache.longestVerdict + 1))
        cache.insert(long, for: digest("x"), at: .zero)
        #expect(cache.count == 0)
    }

    @Test func emptyingLeavesNothing() {
        var cache = VerdictCache(capacity: 64, lifetime: .seconds(10))
        for number in 0..<64 { cache.insert(verdict("a"), for: digest("\(number)"), at: .zero) }
        cache.removeAll()
        #expect(cache.count == 0)
    }

    /// A million messages of two tenants, interleaved, many of them the same texts: each verdict
    /// names its tenant, and no batch, no verdict and no hit in the cache ever crosses.
    @Test func nothingOfOneTenantReachesAnother() {
        var batcher = Batcher(rules: [
            BatchingRule(
                maxBatchSize: 64, maxQueueDelay: .milliseconds(2), concurrentBatches: 4,
                maxQueueSize: 100_000)
        ])
        var caches = [0, 1].map { _ in VerdictCache(capacity: 4_096, lifetime: .seconds(10)) }
        var random = RandomSource(seed: 42)
        var open: [UInt64: SipHash.Digest] = [:]
        var batches: [Batch] = []
        var underway: [Batch] = []
        var (crossed, hits, judged) = (0, 0, 0)
        for number in 0..<UInt64(1_000_000) {
            let now = MonotonicTime(nanoseconds: Int64(number) * 10_000)
            let tenant = Int(random.next() & 1)
            // A small set of texts, so that both tenants send the same ones.
            var text = [UInt8](repeating: 0, count: 9)
            text[0] = UInt8(truncatingIfNeeded: random.next() % 200)
            text[1] = UInt8(truncatingIfNeeded: random.next() % 100)
            text[8] = UInt8(tenant)
            let digest = text.withUnsafeBytes { SipHash.digest($0, key: key) }
            if let verdict = caches[tenant].verdict(for: digest, at: now) {
                hits += 1
                crossed += verdict.members == [UInt8(tenant)] ? 0 : 1
                continue
            }
            let token = number << 1 | UInt64(tenant)
            open[token] = digest
            _ = batcher.add(
                Batch.Item(token: token, bytes: 9, arrival: now), model: ModelID(0),
                group: tenant, into: &batches)
            batcher.close(at: now, into: &batches)
            underway += batches
            batches.removeAll(keepingCapacity: true)
            while underway.count > Int(random.next() % 8) {
                let batch = underway.removeFirst()
                for item in batch.items {
                    judged += 1
                    crossed += Int(item.token & 1) == batch.group ? 0 : 1
                    guard let digest = open.removeValue(forKey: item.token) else {
                        crossed += 1
                        continue
                    }
                    // What the model server says of this batch bears the tenant's mark.
                    caches[batch.group].insert(
                        VerdictCache.Verdict(members: [UInt8(batch.group)]), for: digest, at: now)
                }
                batcher.ended(ModelID(0), group: batch.group, after: .milliseconds(1))
            }
        }
        #expect(crossed == 0)
        #expect(hits > 100_000)
        #expect(judged + hits + open.count == 1_000_000)
    }
}
