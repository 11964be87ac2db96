import InferenceTypes
import Testing

@testable import EnergyModel

@Suite struct IterationCurveTests {
    @Test func interpolatesOnLogarithmicAxes() {
        let line = LogLogInterpolation([(1, 10), (4, 20)])
        #expect(near(line.value(at: 2), 14.142))
        #expect(near(line.value(at: 16), 40))
        #expect(near(line.value(at: 1), 10))
        #expect(near(line.value(at: 0.25), 5))
    }

    @Test func prolongedLinesNeitherFallNorRiseFasterThanTheBatch() {
        let falling = LogLogInterpolation([(1, 10), (4, 5)])
        #expect(near(falling.value(at: 64), 5))
        #expect(near(falling.value(at: 2), 7.0711))
        let steep = LogLogInterpolation([(1, 1), (2, 8)])
        #expect(near(steep.value(at: 4), 16))
    }

    @Test func oddPointsAreLeftOut() {
        let line = LogLogInterpolation([(0, 1), (2, 3), (2, 9), (1, 4), (.nan, 1), (8, .nan)])
        #expect(near(line.value(at: 100), 3))
        #expect(LogLogInterpolation([]).value(at: 3) == 0)
    }

    @Test func h100WorkedNumbers() {
        let curve = IterationCurve(Profiles.h100)
        #expect(curve.iterationTime(batch: 0) == .zero)
        #expect(curve.energyAboveIdle(batch: 0) == .zero)
        #expect(curve.power(batch: 0) == Watts(120))
        #expect(near(curve.iterationTime(batch: 1).seconds, 0.006841))
        #expect(near(curve.power(batch: 1).value, 406))
        #expect(near(curve.energyAboveIdle(batch: 1).value, 1.957))
        #expect(near(curve.iterationTime(batch: 8).seconds, 0.007461))
        #expect(near(curve.power(batch: 8).value, 486.5))
        #expect(near(curve.energyAboveIdle(batch: 8).value, 2.734))
        #expect(near(curve.iterationTime(batch: 64).seconds, 0.012426))
        #expect(near(curve.powerAboveIdle(batch: 64).value, 490.4))
        #expect(near(curve.energyAboveIdle(batch: 64).value, 6.094))
        #expect(curve.energyAboveIdle(batch: 500) == curve.energyAboveIdle(batch: 192))
        #expect(curve.energyAboveIdle(batch: -3) == .zero)
    }

    @Test func armWorkedNumbers() {
        let curve = IterationCurve(Profiles.arm)
        #expect(near(curve.energyAboveIdle(batch: 1).value, 3.914))
        #expect(near(curve.iterationTime(batch: 3).seconds, 0.045101))
        #expect(near(curve.energyAboveIdle(batch: 12).value, 12.283))
        #expect(near(curve.energyAboveIdle(batch: 32).value, 29.322))
    }

    @Test func bucketsCostWhatTheNextEdgeCosts() {
        let stairs = BucketStaircase([1, 4, 8, 16])
        let runsAs = [0, 1, 2, 4, 5, 16, 40].map { stairs.bucket(holding: $0) }
        #expect(runsAs == [0, 1, 4, 4, 8, 16, 16])
        #expect(BucketStaircase([]).bucket(holding: 7) == 7)
        #expect(BucketStaircase([4, 2, 8]).bucket(holding: 5) == 8)

        let curve = IterationCurve(Profiles.npu)
        #expect(near(curve.energyAboveIdle(batch: 1).value, 1.6328))
        #expect(near(curve.energyAboveIdle(batch: 2).value, 2.0655))
        #expect(curve.energyAboveIdle(batch: 2) == curve.energyAboveIdle(batch: 4))
        #expect(near(curve.energyAboveIdle(batch: 5).value, 2.3155))
        #expect(near(curve.iterationTime(batch: 33).seconds, 0.027614))
        #expect(curve.bucket(holding: 33) == 64)
    }

    @Test func capacityIsTheSmallerOfMaximumAndLastBucket() {
        var profile = Profiles.npu
        profile.decodeBuckets = [1, 4, 8]
        #expect(IterationCurve(profile).capacity == 8)
        profile.decodeBuckets = []
        profile.maxBatch = -1
        #expect(IterationCurve(profile).capacity == 1)
        profile.knots = []
        #expect(IterationCurve(profile).energyAboveIdle(batch: 1).value.isFinite)
    }

    @Test(arguments: [Profiles.h100, Profiles.b200, Profiles.npu, Profiles.arm, Profiles.atom])
    func timeAndEnergyNeverFallAsTheBatchGrows(_ profile: Profile) {
        let curve = IterationCurve(profile)
        for batch in 1...curve.capacity {
            #expect(
                curve.iterationTime(batch: batch) >= curve.iterationTime(batch: batch - 1))
            #expect(
                curve.energyAboveIdle(batch: batch) >= curve.energyAboveIdle(batch: batch - 1))
            #expect(curve.power(batch: batch) >= profile.idlePower)
        }
    }

    @Test func provenanceIsTheWeakerOfTheNeighbours() {
        var profile = Profiles.h100
        profile.knots[0].provenance = .modelled
        let curve = IterationCurve(profile)
        #expect(curve.provenance(batch: 1) == .modelled)
        #expect(curve.provenance(batch: 4) == .modelled)
        #expect(curve.provenance(batch: 12) == .measured)
        #expect(IterationCurve(Profiles.npu).provenance(batch: 4) == .assumed)
    }
}
