import InferenceTypes
import Testing

@testable import EnergyModel

@Suite struct PowerTests {
    let h100 = EndpointModel(profile: Profiles.h100, engine: .vllm)

    private func watts(
        _ batch: Int, recent: Double = 0, queued: Double = 0, utilisation: Double = 0
    ) -> Double {
        h100.power(
            on: EndpointLoad(
                batch: batch, queuedPrefill: TimeSpan(seconds: queued),
                prefillUtilisation: utilisation, recentPrefill: TimeSpan(seconds: recent))
        ).value
    }

    @Test func powerWorkedNumbers() {
        #expect(watts(0) == 120)
        #expect(near(watts(8), 486.5))
        #expect(near(watts(8, recent: 0.1), 501.9))
        #expect(near(watts(192), 688.3))
        #expect(near(watts(192, utilisation: 2.0 / 3), 672.2))
    }

    @Test func aBurstOfPromptsIsSeenAtOnceAndNeverBeyondPrefillPower() {
        #expect(near(watts(8, queued: 0.5), 486.5 + 0.5 * 153.5))
        #expect(watts(8, recent: 9) == 640)
        #expect(watts(0, recent: 2) == 640)
    }

    @Test func aClassifierDrawsWhatItsBatchDraws() {
        let atom = EndpointModel(profile: Profiles.atom, engine: .vllmRBLN)
        #expect(
            atom.power(on: EndpointLoad(batch: 64)).value == atom.curve.power(batch: 64).value)
    }
}
