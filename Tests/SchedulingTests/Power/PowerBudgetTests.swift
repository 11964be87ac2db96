import InferenceTypes
import Testing

@testable import Scheduling

@Suite struct PowerBudgetTests {
    /// Eight H100 in one pool.
    private func budget(_ limits: PowerLimits, busy: Int = 6) -> PowerBudget {
        var budget = PowerBudget(
            idle: Array(repeating: Watts(120), count: 8),
            pools: Array(repeating: 0, count: 8), poolCount: 1)
        budget.set(limits)
        for index in 0..<busy { budget.update(index, watts: 653, own: 533) }
        return budget
    }

    @Test func oneMoreOnABusyEndpointFitsWhereOpeningAnotherDoesNot() {
        let budget = budget(PowerLimits(site: Watts(4_240)))
        #expect(budget.site.sum == 4_158)
        #expect(budget.admits(0, watts: 653.3, isBulk: false))
        #expect(!budget.admits(6, watts: 406, isBulk: false))
    }

    @Test func buildingWattsAreMoreThanMachineWatts() {
        let budget = budget(PowerLimits(site: Watts(5_088), pue: 1.2))
        #expect(abs(budget.site.limit - 4_240) < 1e-9)
    }

    @Test func aPoolHasALimitOfItsOwn() {
        let budget = budget(PowerLimits(pools: [Watts(4_200)]))
        #expect(budget.admits(0, watts: 690, isBulk: false))
        #expect(!budget.admits(0, watts: 700, isBulk: false))
        #expect(budget.site.limit == .infinity)
    }

    @Test func bulkLeavesTheLastTwentiethToOthers() {
        // 95 % of 3 280 W above 960 W idle: 4 076 W.
        let budget = budget(PowerLimits(site: Watts(4_240)))
        #expect(!budget.admits(0, watts: 653.3, isBulk: true))
    }

    @Test func aShareBindsOurOwnPartOnly() {
        // Half of (4 240 - 960) W is ours; of 3 198 W above idle we placed half.
        var budget = budget(PowerLimits(site: Watts(4_240), share: 0.5))
        for index in 0..<6 { budget.update(index, watts: 653, own: 266.5) }
        #expect(budget.admits(0, watts: 690, isBulk: false))
        #expect(!budget.admits(0, watts: 700, isBulk: false))
    }

    @Test func pressureRisesOverTheLastTenth() {
        #expect(budget(PowerLimits(site: Watts(9_000))).pressure == 0)
        let near = budget(PowerLimits(site: Watts(4_240)))
        #expect(abs(near.pressure - (3_198.0 / 3_280 - 0.9) / 0.1) < 1e-9)
        #expect(budget(PowerLimits(site: Watts(4_000))).pressure == 1)
        #expect(budget(PowerLimits(site: Watts(500)), busy: 0).pressure == 1)
        #expect(budget(.none).pressure == 0)
    }

    @Test func sumsAgreeWithThemselvesAfterAnyOrderOfChanges() {
        var random = RandomSource(seed: 7)
        var budget = PowerBudget(
            idle: (0..<20).map { Watts(Double(50 + $0)) }, pools: (0..<20).map { $0 % 3 },
            poolCount: 3)
        budget.set(PowerLimits(site: Watts(9_000), pools: [nil, Watts(2_000)], share: 0.7))
        for _ in 0..<5_000 {
            let index = random.nextIndex(below: 20)
            if random.nextIndex(below: 5) == 0 {
                budget.hold(index, random.nextUnit() < 0.5)
            } else {
                let above = random.nextUnit() * 600
                budget.update(
                    index, watts: Double(50 + index) + above, own: above * random.nextUnit())
            }
            var again = budget
            again.refresh()
            for (one, other) in zip([budget.site] + budget.pools, [again.site] + again.pools) {
                #expect(abs(one.sum - other.sum) < 1e-6)
                #expect(abs(one.draining - other.draining) < 1e-6)
                #expect(abs(one.own - other.own) < 1e-6)
            }
        }
    }
}
