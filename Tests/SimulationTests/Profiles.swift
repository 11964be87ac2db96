import InferenceTypes
import Simulation

/// Round numbers: a step takes 10 ms up to 8 sequences and 20 ms for 64.
enum TestProfile {
    static let gpu = Profile(
        name: "gpu", model: "m", accelerator: "test", provenance: .measured,
        idlePower: Watts(100), sleepPower: Watts(10), wakeTime: .seconds(30),
        wakeEnergy: Joules(3_000), maxBatch: 64, prefillTokensPerSecond: 20_000,
        prefillPower: Watts(600), weightsGigabytes: 16, kvKilobytesPerToken: 128,
        meterScope: .accelerator, decodeBuckets: [],
        knots: [
            .init(
                batch: 1, iterationTime: .milliseconds(10), power: Watts(400),
                provenance: .measured),
            .init(
                batch: 8, iterationTime: .milliseconds(10), power: Watts(480),
                provenance: .measured),
            .init(
                batch: 64, iterationTime: .milliseconds(20), power: Watts(600),
                provenance: .measured),
        ])

    static func fleet(_ count: Int) -> SimulatedFleet {
        SimulatedFleet(pools: [.init(name: "gpu", engine: .vllm, profile: gpu, count: count)])
    }

    /// Poisson arrivals of chat.
    static func workload(
        rate: Double, seconds: Double, seed: UInt64, input: Int = 800, output: Int = 150
    ) -> Workload {
        var random = RandomSource(seed: seed)
        var rows: [TraceRow] = []
        var at = 0.0
        while at < seconds {
            rows.append(
                TraceRow(
                    arrival: TimeSpan(seconds: at),
                    inputTokens: 1 + random.nextIndex(below: 2 * input),
                    outputTokens: 1 + random.nextIndex(below: 2 * output)))
            at -= Mathematics.log(1 - random.nextUnit()) / rate
        }
        var workload = Workload()
        workload.add(.init(name: "chat"), rows: rows, length: TimeSpan(seconds: seconds))
        return workload
    }
}
