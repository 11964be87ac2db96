import InferenceTypes
import Testing

@Suite struct EnergyTests {
    @Test func wattsTimesSecondsAreJoules() {
        #expect(Watts(600) * .milliseconds(500) == Joules(300))
        #expect(Watts(0.5) * .zero == .zero)
    }

    @Test func quantitiesAdd() {
        var power = Watts(1)
        power += Watts(2)
        #expect(power - Watts(0.5) == Watts(2.5))
        var energy = Joules(1)
        energy += Joules(2)
        #expect(energy - Joules(4) == Joules(-1))
        #expect(JoulesPerToken(0.1) < JoulesPerToken(0.2))
    }

    @Test(arguments: [
        (0, 0), (1.5, 1_500_000), (-1.5, -1_500_000), (0.000_000_4, 0), (0.000_000_6, 1),
        (.nan, 0), (.infinity, Int64.max), (-.infinity, Int64.min), (1e20, Int64.max),
        (9.1e12, 9_100_000_000_000_000_000),
    ] as [(Double, Int64)])
    func joulesBecomeWholeMicrojoules(joules: Double, microjoules: Int64) {
        #expect(Microjoules(Joules(joules)).value == microjoules)
    }

    @Test func ledgersSaturate() {
        #expect(Microjoules(.max) + Microjoules(1) == Microjoules(.max))
        #expect(Microjoules(.min) + Microjoules(-1) == Microjoules(.min))
        var sum = Microjoules(5)
        sum += Microjoules(-7)
        #expect(sum == Microjoules(-2))
        #expect(sum.joules == Joules(-0.000_002))
        #expect(sum < .zero)
    }

    @Test func theWeakerProvenanceWins() {
        let order: [Provenance] = [.measured, .modelled, .assumed]
        for (i, a) in order.enumerated() {
            for (j, b) in order.enumerated() {
                #expect(a.combined(with: b) == order[max(i, j)])
            }
        }
    }
}
