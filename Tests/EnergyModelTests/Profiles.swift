import InferenceTypes

@testable import EnergyModel

/// The numbers of `Config/profiles/`, copied by hand.
enum Profiles {
    private static func make(
        _ name: String, provenance: Provenance, idle: Double, maxBatch: Int,
        prefill: (rate: Double, watts: Double), kv: Double, buckets: [Int] = [],
        _ knots: [(Double, Double, Double)]
    ) -> Profile {
        Profile(
            name: name, model: name, accelerator: name, provenance: provenance,
            idlePower: Watts(idle), sleepPower: Watts(idle / 5), wakeTime: .seconds(30),
            wakeEnergy: Joules(idle * 30), maxBatch: maxBatch,
            prefillTokensPerSecond: prefill.rate, prefillPower: Watts(prefill.watts),
            weightsGigabytes: 16.1, kvKilobytesPerToken: kv, meterScope: .accelerator,
            decodeBuckets: buckets,
            knots: knots.map {
                Profile.Knot(
                    batch: $0.0, iterationTime: TimeSpan(seconds: $0.1), power: Watts($0.2),
                    provenance: provenance)
            })
    }

    static let h100 = make(
        "h100", provenance: .measured, idle: 120, maxBatch: 192, prefill: (22_000, 640),
        kv: 128,
        [
            (1, 0.006841, 406), (7.978, 0.007459, 486.4), (15.952, 0.008165, 513.3),
            (31.912, 0.00941, 559.7), (63.918, 0.012418, 610.3), (95.702, 0.015287, 644),
            (127.62, 0.018137, 669.2), (191.659, 0.023307, 688.3), (255.19, 0.028324, 690.5),
        ])

    static let b200 = make(
        "b200", provenance: .measured, idle: 170, maxBatch: 256, prefill: (44_000, 950),
        kv: 128,
        [
            (1, 0.004055, 557.6), (7.958, 0.004861, 639.4), (15.899, 0.00578, 666.7),
            (31.767, 0.008338, 575.6), (63.803, 0.011415, 616.5), (127.543, 0.027908, 449.3),
            (255.231, 0.033302, 540.2), (510.553, 0.053341, 576.5),
        ])

    static let npu = make(
        "npu", provenance: .assumed, idle: 55, maxBatch: 64, prefill: (9_000, 230), kv: 128,
        buckets: [1, 4, 8, 16, 32, 64],
        [
            (1, 0.015203, 162.4), (7.978, 0.016576, 194.6), (15.952, 0.018145, 205.3),
            (31.912, 0.020912, 223.9), (63.918, 0.027596, 244.1), (95.702, 0.033972, 257.6),
        ])

    static let arm = make(
        "arm", provenance: .assumed, idle: 95, maxBatch: 32, prefill: (197, 230), kv: 128,
        [
            (1, 0.0412, 190), (2, 0.0418, 195), (4, 0.0476, 205), (8, 0.0697, 220),
            (16, 0.1178, 228), (32, 0.2172, 230),
        ])

    static let atom = make(
        "atom", provenance: .assumed, idle: 18.8, maxBatch: 64, prefill: (0, 0), kv: 0,
        buckets: [1, 4, 8, 16, 32, 64],
        [
            (1, 0.001595, 37), (4, 0.0026, 45), (8, 0.004, 52), (16, 0.007, 60),
            (32, 0.013, 66), (64, 0.025, 70),
        ])
}

/// Equal to within a share of the expected value.
func near(_ value: Double, _ expected: Double, within share: Double = 1e-3) -> Bool {
    (value - expected).magnitude <= share * max(expected.magnitude, 1e-12)
}
