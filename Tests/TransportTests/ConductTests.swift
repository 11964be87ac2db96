import InferenceTypes
import Testing

@testable import Transport

/// Who is expelled for what, and who must never be.
@Suite struct ConductTests {
    // MARK: Glitches

    @Test func aBurstOverTheCapacityIsTooMuch() {
        /// Whether each total overflows, one after the other.
        func verdicts(_ totals: [Int], every span: TimeSpan) -> [Bool] {
            var bucket = GlitchBucket(Limits(), at: .zero)
            var now = MonotonicTime.zero
            return totals.map { total in
                defer { now = now + span }
                return bucket.overflows(total: total, at: now)
            }
        }
        #expect(verdicts([200, 201], every: .zero) == [false, true])
        #expect(verdicts([200, 220, 300], every: .seconds(1)) == [false, false, true])
    }

    @Test func anHonestClientMayPingForEver() {
        var bucket = GlitchBucket(Limits(), at: .zero)
        var now = MonotonicTime.zero
        var total = 0
        var isOver = false
        for _ in 0..<100_000 {
            now = now + .seconds(1)
            total += 20
            isOver = bucket.overflows(total: total, at: now) || isOver
        }
        // And send an odd frame with each request, however many those are.
        for _ in 0..<100_000 {
            bucket.requestEndedWell()
            total += 1
            isOver = bucket.overflows(total: total, at: now) || isOver
        }
        #expect(!isOver)
    }

    // MARK: Resets

    /// Plays `count` streams of which `cancels` of a thousand are reset at `age`, in an order that
    /// chance gives; returns how many it took to be expelled.
    private func play(
        _ count: Int, cancels: Int, age: TimeSpan, seed: UInt64 = 1
    ) -> Int? {
        var random = RandomSource(seed: seed)
        var rule = ResetRule(Limits())
        for number in 1...count {
            if random.nextIndex(below: 1_000) < cancels {
                rule.reset(age: age)
            } else {
                rule.endedWell()
            }
            if rule.isBroken { return number }
        }
        return nil
    }

    @Test(arguments: [TimeSpan.milliseconds(1), .seconds(5)])
    func whoCancelsEveryOtherRequestIsHonest(age: TimeSpan) {
        for seed in 1...10 {
            #expect(play(200_000, cancels: 500, age: age, seed: UInt64(seed)) == nil)
        }
    }

    @Test func whoCancelsNearlyEverythingAtOnceIsNot() throws {
        #expect(play(1_000, cancels: 1_000, age: .zero) == 101)
        #expect(try #require(play(10_000, cancels: 800, age: .zero)) < 500)
        #expect(try #require(play(10_000, cancels: 650, age: .zero)) < 5_000)
    }

    @Test func slowCancelsAreJudgedByTheBudgetAlone() throws {
        #expect(play(100_000, cancels: 600, age: .seconds(2)) == nil)
        #expect(try #require(play(10_000, cancels: 800, age: .seconds(2))) < 500)
    }

    @Test func cancelsThatCrossTheEndCostNothingInTheLongRun() {
        var rule = ResetRule(Limits())
        for _ in 0..<10_000 {
            rule.endedWell()
            rule.late(1)
            #expect(!rule.isBroken)
        }
        rule.late(101)
        #expect(rule.isBroken)
    }

    @Test func whatModelServersDoIsNotHeldAgainstTheClient() {
        var rule = ResetRule(Limits())
        for _ in 0..<10_000 { rule.failedByUs() }
        #expect(!rule.isBroken)
    }

    // MARK: Memory

    @Test func aShareTellsInStepsAndTakesBackWhatItToldAtItsEnd() {
        let budget = MemoryBudget(limit: 1 << 30)
        func fill() {
            var share = BudgetShare(of: budget)
            share.add(100 << 10)
            #expect(budget.usedBytes == 0)
            share.add(200 << 10)
            #expect(budget.usedBytes == 300 << 10)
            share.add(-(100 << 10))
            #expect(budget.usedBytes == 300 << 10)
            share.set(0)
            #expect(budget.usedBytes == 0)
            share.set(5 << 20)
        }
        fill()
        #expect(budget.usedBytes == 0)
    }

    @Test func aSmallBudgetIsNotMissedByAStep() {
        let budget = MemoryBudget(limit: 16_000)
        var share = BudgetShare(of: budget)
        share.add(16_000)
        let isFull = share.isExceeded
        share.add(1_000)
        let isOver = share.isExceeded
        #expect(!isFull && isOver)
    }
}
