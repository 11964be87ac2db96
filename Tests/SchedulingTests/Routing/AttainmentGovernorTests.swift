import InferenceTypes
import Testing

@testable import Scheduling

struct AttainmentGovernorTests {
    /// Promises break with a chance that falls as the strictness rises; returns the share broken
    /// over the second half of a long run.
    private func settle(worst: Double, seed: UInt64) -> (missed: Double, strictness: Double) {
        var random = RandomSource(seed: seed)
        var governor = AttainmentGovernor()
        var missed = 0
        let count = 200_000
        for number in 0..<count {
            let chance = worst * (1 - governor.strictness)
            let met = random.nextUnit() >= chance
            governor.observe(met: met)
            if !met, number >= count / 2 { missed += 1 }
        }
        return (Double(missed) / Double(count / 2), governor.strictness)
    }

    @Test func settlesWhereTheTargetedShareOfPromisesIsBroken() {
        let target = AttainmentGovernor.Configuration.defaults.missTarget
        for seed in 1...5 {
            let share = settle(worst: 0.02, seed: UInt64(seed)).missed
            #expect((share - target).magnitude < target / 10)
        }
    }

    @Test func staysLenientWhereFewerBreakAnyway() {
        let end = settle(worst: 0.001, seed: 1)
        #expect(end.strictness < 0.2 && end.missed < 0.0011)
    }

    @Test func staysWithinItsBounds() {
        var governor = AttainmentGovernor()
        for _ in 0..<1_000 { governor.observe(met: false) }
        #expect(governor.strictness == 1)
        for _ in 0..<1_000_000 { governor.observe(met: true) }
        #expect(governor.strictness == 0)
    }
}
