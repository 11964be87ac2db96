import InferenceTypes
import Testing

@testable import EnergyModel

@Suite struct BoundedFilterTests {
    @Test func workedNumbers() {
        var filter = BoundedFilter(count: 1)
        #expect(filter.update([100], reading: 150, deviation: 3, seconds: 5) == .learned)
        #expect(near(filter.state[0], 1.49821, within: 1e-4))
        #expect(near(filter.covariance[0], 0.000897, within: 1e-2))
        #expect(near(filter.prediction([100]), 149.82, within: 1e-3))
    }

    @Test(arguments: [
        (100.0, Double.nan), (100, -1), (100, .infinity), (.nan, 100), (-1, 100),
        (.infinity, 100), (0, 0),
    ])
    func nonsenseIsRefused(regressor: Double, reading: Double) {
        var filter = BoundedFilter(count: 2)
        let before = (filter.state, filter.covariance)
        #expect(
            filter.update([regressor, 0], reading: reading, deviation: 1, seconds: 1) == .refused)
        #expect(filter.update([100], reading: 1, deviation: 1, seconds: 1) == .refused)
        #expect(filter.update([100, 1], reading: 1, deviation: 0, seconds: 1) == .refused)
        #expect(filter.update([100, 1], reading: 1, deviation: 1, seconds: .nan) == .refused)
        #expect(filter.state == before.0 && filter.covariance == before.1)
    }

    @Test func everythingStaysBoundedWhateverComes() {
        var random = RandomSource(seed: 9)
        var filter = BoundedFilter(count: 6)
        for _ in 0..<3_000 {
            let regressors = (0..<6).map { _ in
                random.nextUnit() < 0.5 ? 0 : 1e6 * random.nextUnit() * random.nextUnit()
            }
            let reading = 1e9 * random.nextUnit() * random.nextUnit() * random.nextUnit()
            filter.update(regressors, reading: reading, deviation: 1, seconds: 1_000)
            for index in 0..<6 {
                #expect(BoundedFilter.bounds.contains(filter.state[index]))
                let variance = filter.covariance[index * 6 + index]
                #expect(variance > 0 && variance <= BoundedFilter.priorVariance + 1e-12)
            }
            let probe = (0..<6).map { _ in random.nextUnit() - 0.3 }
            #expect(filter.variance(probe) >= 0)
        }
    }

    @Test func whatIsHeldIsTakenForKnown() {
        var filter = BoundedFilter(count: 2)
        filter.hold(1, true)
        for _ in 0..<20 { filter.update([100, 100], reading: 300, deviation: 3, seconds: 1) }
        #expect(filter.state[1] == 1)
        #expect(filter.covariance[3] == BoundedFilter.priorVariance)
        #expect(near(filter.state[0], 2, within: 0.01))
        filter.hold(1, false)
        filter.update([0, 100], reading: 150, deviation: 1, seconds: 1)
        #expect(near(filter.state[1], 1.5, within: 0.01))
    }

    @Test func oneOutlierMovesLittleAndSixAreAChange() {
        var filter = BoundedFilter(count: 1)
        for _ in 0..<50 { filter.update([100], reading: 100, deviation: 3, seconds: 5) }
        #expect(filter.update([100], reading: 200, deviation: 3, seconds: 5) == .outlier)
        #expect(filter.state[0] < 1.01)
        for _ in 0..<12 { filter.update([100], reading: 200, deviation: 3, seconds: 5) }
        #expect(near(filter.state[0], 2, within: 0.03))
    }
}
