import InferenceTypes
import Testing

@testable import Scheduling

/// Marks at the given sizes, of a text that `identity` stands for.
func prefix(_ identity: UInt64, _ sizes: [Int] = [1_024, 2_048, 4_000], whole: Int = 4_000)
    -> PromptPrefix
{
    var prefix = PromptPrefix(bytes: whole)
    for size in sizes {
        prefix.append(
            .init(hash: (identity &+ 1).folded(with: UInt64(size) &* 0x9E37_79B9_7F4A_7C15),
                bytes: size))
    }
    return prefix
}

@Suite struct PrefixTableTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private func table(
        entries: Int = 1_024, budget: Int = 100_000, memory: TimeSpan = .seconds(60)
    ) -> PrefixTable {
        PrefixTable(entries: entries, endpoints: 3, budget: budget, memory: memory)
    }

    @Test func theLongestSharedBeginningIsFoundWhereItWasComputed() {
        var table = table()
        table.use(prefix(1), on: 0, computing: 1_000, at: start)
        #expect(table.match(prefix(1), on: 0, at: start)?.mark == 2)
        #expect(table.match(prefix(1, [1_024, 2_048, 3_000]), on: 0, at: start)?.mark == 1)
        #expect(table.match(prefix(1), on: 1, at: start) == nil)
        #expect(table.match(prefix(2), on: 0, at: start) == nil)
        #expect(table.match(PromptPrefix(), on: 0, at: start) == nil)
    }

    @Test func anEntryGrowsOldAndUseKeepsItYoung() {
        var table = table(memory: .seconds(60))
        table.use(prefix(1), on: 0, computing: 1_000, at: start)
        table.use(prefix(2), on: 0, computing: 1_000, at: start)
        table.use(prefix(1), on: 0, computing: 0, at: start + .seconds(50))
        #expect(table.match(prefix(1), on: 0, at: start + .seconds(100))?.mark == 2)
        #expect(table.match(prefix(2), on: 0, at: start + .seconds(100)) == nil)
    }

    @Test func whatAnEndpointComputesDrivesOutWhatItDoesNotUse() {
        var table = table(budget: 5_000)
        table.use(prefix(1), on: 0, computing: 1_000, at: start)
        table.use(prefix(2), on: 0, computing: 5_000, at: start)
        #expect(table.match(prefix(1), on: 0, at: start) != nil)
        table.answered(prefix(2), on: 0, tokens: 1)
        #expect(table.match(prefix(1), on: 0, at: start) == nil)
        #expect(table.match(prefix(2), on: 0, at: start)?.answered == 1)
    }

    @Test func aForgottenEndpointHoldsNothingAndLearnsAnew() {
        var table = table()
        for endpoint in 0..<2 { table.use(prefix(1), on: endpoint, computing: 10, at: start) }
        table.forget(0)
        #expect(table.match(prefix(1), on: 0, at: start) == nil)
        #expect(table.match(prefix(1), on: 1, at: start) != nil)
        table.use(prefix(1), on: 0, computing: 10, at: start)
        #expect(table.match(prefix(1), on: 0, at: start)?.mark == 2)
        table.forget(99)
        table.use(prefix(1), on: 99, computing: 10, at: start)
        #expect(table.match(prefix(1), on: 99, at: start) == nil)
    }

    @Test(arguments: [0, 1, 7, 64, 1_000])
    func theTableNeverGrows(_ entries: Int) {
        var table = table(entries: entries)
        let room = table.capacity
        #expect(room <= max(entries, 4) && room >= 4)
        for identity in 0..<5_000 {
            table.use(
                prefix(UInt64(identity)), on: identity % 3, computing: .max,
                at: start + .milliseconds(Int64(identity)))
        }
        #expect(table.capacity == room && table.count <= room)
    }

    @Test func theSameEventsGiveTheSameTable() {
        func play() -> [Int] {
            var table = table(entries: 256, budget: 20_000)
            var random = RandomSource(seed: 3)
            return (0..<3_000).map { step in
                let now = start + .milliseconds(Int64(step) * 10)
                let prefix = prefix(UInt64(random.nextIndex(below: 200)))
                let endpoint = random.nextIndex(below: 3)
                let found = table.match(prefix, on: endpoint, at: now)?.mark ?? -1
                table.use(prefix, on: endpoint, computing: 300, at: now)
                if random.nextIndex(below: 100) == 0 { table.forget(endpoint) }
                return found
            }
        }
        let one = play()
        #expect(one == play())
        #expect(one.contains(2) && one.contains(-1))
    }

    @Test func aServerThatFindsLessIsBelievedLess() {
        var factor = HitFactor()
        #expect(factor.value(at: start) == 0.9)
        factor.observe(believed: 1_000, said: 0, at: start)
        #expect(abs(factor.value(at: start) - 0.81) < 1e-12)
        for _ in 0..<9 { factor.observe(believed: 1_000, said: -5, at: start) }
        #expect(abs(factor.value(at: start) - 0.9 * 0.348_678_440_1) < 1e-9)
        #expect(abs(factor.value(at: start + .seconds(600)) - 0.6845) < 1e-3)
        for _ in 0..<200 { factor.observe(believed: 1, said: .max, at: start) }
        #expect(factor.value(at: start) <= 1 && factor.value(at: start) > 0.99)
        factor.observe(believed: 0, said: 0, at: start)
        #expect(factor.value(at: start) > 0.99)
    }
}
