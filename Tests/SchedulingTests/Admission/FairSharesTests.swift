import InferenceTypes
import Testing

@testable import Scheduling

@Suite struct FairSharesTests {
    @Test func whoWaitsIsServedByWeight() {
        var shares = FairShares(weights: [1, 3, 1])
        for tenant in 0..<2 { for _ in 0..<40 { shares.entered(tenant) } }
        var served: [Int] = []
        for _ in 0..<8 {
            let next = Int(shares.order[0])
            served.append(next)
            shares.served(next, cost: 1)
            shares.left(next)
        }
        #expect(served == [0, 1, 1, 1, 0, 1, 1, 1])
    }

    /// The bound of the type's comment, over random costs, weights and comings and goings.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func noTenantGetsMoreThanItsShareWhileOthersWait(_ seed: UInt64) {
        var random = RandomSource(seed: seed)
        let weights = (0..<6).map { _ in 0.5 + 4 * random.nextUnit() }
        var shares = FairShares(weights: weights)
        // The first three always wait; the others come and go.
        for tenant in 0..<3 { shares.entered(tenant) }
        var work = [Double](repeating: 0, count: 6)
        let largest = 9.0
        for _ in 0..<20_000 {
            let visitor = 3 + random.nextIndex(below: 3)
            if shares.depth(of: visitor) == 0, random.nextIndex(below: 4) == 0 {
                shares.entered(visitor)
            }
            let next = Int(shares.order[0])
            let cost = 0.1 + (largest - 0.1) * random.nextUnit()
            shares.served(next, cost: cost)
            work[next] += cost
            if next >= 3 { shares.left(next) }
            #expect(shares.isConsistent)
            for one in 0..<3 {
                for other in 0..<3 {
                    let gap = work[one] / weights[one] - work[other] / weights[other]
                    #expect(gap <= largest / weights[one] + largest / weights[other] + 1e-6)
                }
            }
        }
        #expect(work.allSatisfy { $0 > 0 })
    }

    @Test func anIdleTenantEarnsNoCredit() {
        var shares = FairShares(weights: [1, 1])
        for _ in 0..<100 { shares.entered(0) }
        for _ in 0..<50 {
            shares.served(0, cost: 1)
            shares.left(0)
        }
        for _ in 0..<50 { shares.entered(1) }
        var served = [0, 0]
        for _ in 0..<40 {
            let next = Int(shares.order[0])
            served[next] += 1
            shares.served(next, cost: 1)
            shares.left(next)
        }
        #expect(served == [20, 20])
    }

    @Test func whatWasUsedWhileNobodyWaitedIsForgotten() {
        var shares = FairShares(weights: [1, 1])
        shares.served(0, cost: 1_000)
        shares.entered(0)
        shares.served(0, cost: 1_000)
        shares.left(0)
        shares.entered(1)
        shares.entered(0)
        #expect(shares.order == [0, 1])
    }
}
