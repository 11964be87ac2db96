import InferenceTypes
import Testing

@testable import EnergyModel

@Suite struct EndpointModelTests {
    let h100 = EndpointModel(profile: Profiles.h100, engine: .vllm)
    let npu = EndpointModel(profile: Profiles.npu, engine: .vllmRBLN)
    let arm = EndpointModel(profile: Profiles.arm, engine: .llamaServer)
    let atom = EndpointModel(profile: Profiles.atom, engine: .vllmRBLN)
    let turn = RequestSize(inputTokens: 1_155, outputTokens: 211)

    /// Others run so long that the request is never alone, unless `remaining` says how long.
    func energy(
        _ model: EndpointModel, batch: Int, size: RequestSize? = nil, remaining: Int = 1 << 20
    ) -> Double {
        let load = EndpointLoad(batch: batch, remainingTokens: batch > 0 ? remaining : 0)
        return model.estimate(size ?? turn, on: load).marginalEnergy.value
    }

    /// One sequence with 50 tokens left: the newcomer shares 50 of its 211 steps, and runs the
    /// other 161 alone unless somebody joins, e^(-1/4) = 0.7788. E*(1) = 1.957 J; the second
    /// sequence costs 0.1106 J.
    @Test func whoOutlivesTheOthersPaysForRunningAlone() {
        let together = energy(h100, batch: 1)
        let alone = energy(h100, batch: 1, remaining: 50)
        let second = (together - 27.3 - 6.809) / 211
        #expect(near(alone - together, 161 * 0.7788 * (1.957 - second)))
        #expect(energy(h100, batch: 1, remaining: 211) == together)
        let crowd = energy(h100, batch: 40, remaining: 40)
        #expect(crowd - energy(h100, batch: 40) < 0.03)
    }

    @Test func prefillWorkedNumbers() {
        #expect(near(h100.prefillEnergyPerToken.value, 0.02364))
        #expect(near(npu.prefillEnergyPerToken.value, 0.01944))
        #expect(near(h100.prefillTime(of: turn).milliseconds, 52.5))
        #expect(near(npu.prefillTime(of: turn).milliseconds, 128.3))
        #expect(h100.prefillRule == .shared)
        #expect(npu.prefillRule == .exclusive)
        #expect(atom.prefillRule == .onePass)
    }

    @Test func cachedInputIsNotComputedAgain() {
        let cached = RequestSize(
            inputTokens: 1_155, cachedInputTokens: 1_155, outputTokens: 211)
        #expect(h100.prefillTime(of: cached) == .zero)
        #expect(near(energy(h100, batch: 8) - energy(h100, batch: 8, size: cached), 27.3))
        let odd = RequestSize(inputTokens: 10, cachedInputTokens: 99, outputTokens: -4)
        #expect(odd.uncachedInputTokens == 0)
        #expect(odd.outputTokens == 0)
    }

    @Test func marginalEnergyOnH100WorkedNumbers() {
        let besideDecode = 27.3 + 6.809
        #expect(near(energy(h100, batch: 0), besideDecode + 412.8))
        #expect(near(energy(h100, batch: 8), besideDecode + 16.09))
    }

    @Test func insideABucketOneMoreSequenceIsFree() {
        let besideDecode = 22.458 + 6.809
        #expect(near(energy(npu, batch: 1), besideDecode + 91.3))
        #expect(near(energy(npu, batch: 2), besideDecode))
        #expect(near(energy(npu, batch: 3), besideDecode))
        #expect(near(energy(npu, batch: 4), besideDecode + 52.75))
        #expect(near(energy(npu, batch: 6), besideDecode))
    }

    @Test func beyondTheCapacityASequenceCostsItsShareOfAFullStep() {
        let expected = 211 * 5.223 / 64 + 22.458 + 6.809
        #expect(near(energy(npu, batch: 64), expected))
        #expect(near(energy(npu, batch: 70), expected))
    }

    @Test func choicesDecodeSideBySide() {
        let four = RequestSize(inputTokens: 0, outputTokens: 100, sequences: 4)
        let decode = 100 * 2.0655
        let cache = 4 * 2.56e-5 * 100 * 50
        #expect(near(energy(npu, batch: 0, size: four), decode + cache))
    }

    @Test func latencyWorkedNumbers() {
        let idle = h100.estimate(turn, on: .idle)
        #expect(near(idle.timeToFirstToken.milliseconds, 5 + 52.5 + 6.841))
        #expect(idle.runningInterTokenLatency == .zero)
        let busy = h100.estimate(
            turn,
            on: EndpointLoad(
                batch: 63, remainingTokens: 6_300, queuedPrefill: .milliseconds(100),
                prefillUtilisation: 0.2))
        #expect(near(busy.timeToFirstToken.milliseconds, 5 + 100 + 52.5 + 12.426))
        #expect(near(busy.interTokenLatency.milliseconds, 15.66))
        #expect(busy.runningInterTokenLatency == busy.interTokenLatency)
        #expect(near(busy.duration.seconds, 0.169926 + 210 * 0.015661))
        #expect(busy.provenance == .modelled)
    }

    @Test func exclusivePrefillStallsThoseWhoRun() {
        let estimate = npu.estimate(turn, on: EndpointLoad(batch: 4, remainingTokens: 40))
        let stall = estimate.runningInterTokenLatency - estimate.interTokenLatency
        #expect(near(stall.milliseconds, 12.83))
        #expect(estimate.provenance == .assumed)
    }

    @Test func waitsForASlotBeyondTheCapacity() {
        let size = RequestSize(inputTokens: 0, outputTokens: 100)
        let full = arm.estimate(size, on: EndpointLoad(batch: 34, remainingTokens: 3_400))
        #expect(near(full.timeToFirstToken.seconds, 0.005 + 3.949 + 0.2172))
    }

    @Test func workTimeComparesUnlikeEndpoints() {
        #expect(near(h100.workTime(outputTokens: 200).milliseconds, 24.31))
        #expect(near(arm.workTime(outputTokens: 200).seconds, 1.3575))
        #expect(h100.workTime(outputTokens: -1) == .zero)
    }

    @Test func oneForwardPassPerBatchOfItems() {
        let one = RequestSize(inputTokens: 30, outputTokens: 0, generates: false)
        let alone = atom.estimate(one, on: .idle)
        #expect(near(alone.marginalEnergy.value, 0.02903))
        #expect(near(alone.timeToFirstToken.milliseconds, 6.595))
        #expect(atom.estimate(one, on: EndpointLoad(batch: 3)).marginalEnergy == .zero)
        var many = one
        many.sequences = 64
        let batch = atom.estimate(many, on: .idle)
        #expect(near(batch.marginalEnergy.value, 1.28))
        #expect(near(batch.timeToFirstToken.milliseconds, 30))
        let second = atom.estimate(many, on: EndpointLoad(batch: 64))
        #expect(near(second.marginalEnergy.value, 1.28))
        #expect(near(second.timeToFirstToken.milliseconds, 55))
    }

    @Test func embeddingsCostTheirPrefill() {
        let size = RequestSize(inputTokens: 1_155, outputTokens: 0, generates: false)
        let estimate = h100.estimate(size, on: EndpointLoad(batch: 8))
        #expect(near(estimate.marginalEnergy.value, 27.3))
        #expect(near(estimate.timeToFirstToken.milliseconds, 57.5))
        #expect(estimate.interTokenLatency == .zero)
        #expect(near(estimate.runningInterTokenLatency.milliseconds, 7.4617 / 0.993437))
    }

    @Test(arguments: [Profiles.h100, Profiles.b200, Profiles.npu, Profiles.arm])
    func predictionsRiseWithTheLoad(_ profile: Profile) {
        for engine in [EngineKind.vllm, .vllmRBLN] {
            let model = EndpointModel(profile: profile, engine: engine)
            var previous = model.estimate(turn, on: .idle)
            for batch in 1...(model.curve.capacity + 8) {
                let load = EndpointLoad(batch: batch, remainingTokens: batch * 100)
                let estimate = model.estimate(turn, on: load)
                #expect(estimate.marginalEnergy.value >= 0)
                #expect(estimate.timeToFirstToken >= previous.timeToFirstToken)
                #expect(estimate.interTokenLatency >= previous.interTokenLatency)
                previous = estimate
            }
            let longer = RequestSize(inputTokens: 2_000, outputTokens: 400)
            #expect(energy(model, batch: 3, size: longer) > energy(model, batch: 3))
        }
    }

    @Test func absurdNumbersDoNotTrap() {
        let size = RequestSize(
            inputTokens: .max, cachedInputTokens: .min, outputTokens: .max, sequences: .max)
        let load = EndpointLoad(
            batch: .max, remainingTokens: .max, queuedPrefill: .never,
            prefillUtilisation: .infinity)
        for model in [h100, npu, arm, atom] {
            for generates in [true, false] {
                var size = size
                size.generates = generates
                let estimate = model.estimate(size, on: load)
                #expect(estimate.timeToFirstToken > .zero)
                #expect(!estimate.marginalEnergy.value.isNaN)
            }
        }
        #expect(EndpointLoad(prefillUtilisation: .nan).prefillUtilisation == 0)
    }
}
