import InferenceTypes
import Testing

@testable import EnergyModel

@Suite struct ColdStartTests {
    private let dense = ColdStart(
        weightsGigabytes: 16.1, bandwidthGigabytesPerSecond: 3_350, thermalDesignPower: Watts(700))

    @Test func denseWorkedNumbers() {
        #expect(near(dense.iterationSeconds(batch: 1), 0.007468))
        #expect(near(dense.iterationJoules(batch: 1), 3.107))
        let knots = dense.knots(maxBatch: 192)
        #expect(knots.map(\.batch) == [1, 2, 4, 8, 16, 32, 64, 128, 192])
        #expect(near(knots[0].power.value, 416))
        #expect(near((knots[3].power * knots[3].iterationTime).value, 8 * 0.431))
        #expect(knots.allSatisfy { $0.provenance == .assumed })
        #expect(dense.idlePower == Watts(0.17 * 700))
        #expect(near(dense.prefillTokensPerSecond, 24_553))
    }

    /// 128 experts, 8 of them per token: one sequence touches 1/16 of them, 16 touch 64 %.
    @Test func moreSequencesTouchMoreExperts() {
        let mixture = ColdStart(
            weightsGigabytes: 61, bandwidthGigabytesPerSecond: 3_350,
            thermalDesignPower: Watts(700), experts: .init(count: 128, active: 8, share: 0.95))
        #expect(near(mixture.streamedGigabytes(batch: 1), 61 * (0.05 + 0.95 / 16)))
        #expect(near(mixture.streamedGigabytes(batch: 16), 61 * (0.05 + 0.95 * 0.6439)))
        #expect(near(mixture.streamedGigabytes(batch: 1e6), 61))
    }

    /// The prior against every measured row on H100 whose accelerators' weights and experts are
    /// known. `bytes`: per parameter.
    @Test func thePriorIsNearWhatWasMeasured() throws {
        var errors: [Double] = []
        for row in try Published.table("ml-energy-v3-lm-arena-chat.csv")
        where row["gpu_model"] == "H100" {
            let count = row.number("num_gpus")
            let all = row.number("total_params_billions")
            let active = row.number("activated_params_billions")
            let bytes = row["weight_precision"] == "fp8" ? 1.0 : 2
            // As in Qwen3's: 128 experts, 8 per token; the share follows from what is active.
            let share = active < all ? (1 - active / all) / (1 - 8.0 / 128) : 0
            let prior = ColdStart(
                weightsGigabytes: all * bytes, bandwidthGigabytesPerSecond: 3_350 * count,
                thermalDesignPower: Watts(700 * count),
                experts: share > 0 ? .init(count: 128, active: 8, share: share) : nil,
                parametersBillions: all)
            let batch = row.number("avg_batch_size")
            let joules = prior.iterationJoules(batch: batch) / batch
            errors.append((joules / row.number("energy_per_token_joules") - 1).magnitude)
        }
        print("prior: \(errors.count) rows, median", quantile(0.5, errors), "p90",
            quantile(0.9, errors), "worst", quantile(1, errors))
        #expect(errors.count >= 60)
        #expect(quantile(0.5, errors) <= 0.25)
        #expect(quantile(0.9, errors) <= 0.55)
    }
}
