import InferenceTypes

/// Profiles with round figures and short times, so that tests are quick.
enum FastProfiles {
    /// One token per millisecond, the same power whatever the batch.
    static func profile(
        name: String = "fast", iteration: TimeSpan = .milliseconds(1), idle: Double = 10,
        busy: Double = 300, maxBatch: Int = 64, provenance: Provenance = .measured
    ) -> Profile {
        let batches = [1.0, Double(maxBatch)]
        return Profile(
            name: name, model: "test", accelerator: "test", provenance: provenance,
            idlePower: Watts(idle), sleepPower: Watts(idle / 10), wakeTime: .seconds(1),
            wakeEnergy: Joules(10), maxBatch: maxBatch, prefillTokensPerSecond: 1_000_000,
            prefillPower: Watts(busy), weightsGigabytes: 1, kvKilobytesPerToken: 1,
            meterScope: .accelerator, decodeBuckets: [],
            knots: batches.map {
                Profile.Knot(
                    batch: $0, iterationTime: iteration, power: Watts(busy),
                    provenance: provenance)
            })
    }
}
