import EmulatedEngine
import InferenceTypes

/// Profiles with round numbers, and drivers that play clients.
enum EngineFixtures {
    static func profile(
        knots: [(batch: Double, milliseconds: Double, watts: Double)], idle: Double = 100,
        maxBatch: Int = 64, prefill: (rate: Double, watts: Double) = (10_000, 600),
        buckets: [Int] = [], kvKilobytes: Double = 128
    ) -> Profile {
        Profile(
            name: "test", model: "test", accelerator: "test", provenance: .assumed,
            idlePower: Watts(idle), sleepPower: Watts(10), wakeTime: .seconds(1),
            wakeEnergy: Joules(100), maxBatch: maxBatch, prefillTokensPerSecond: prefill.rate,
            prefillPower: Watts(prefill.watts), weightsGigabytes: 16,
            kvKilobytesPerToken: kvKilobytes, meterScope: .accelerator,
            decodeBuckets: buckets,
            knots: knots.map {
                Profile.Knot(
                    batch: $0.batch, iterationTime: TimeSpan(seconds: $0.milliseconds / 1e3),
                    power: Watts($0.watts), provenance: .assumed)
            })
    }

    /// Batch 1: 10 ms, 200 W; batch 64: 20 ms, 400 W.
    static let gpu = profile(knots: [(1, 10, 200), (64, 20, 400)])

    /// Flat: every decode step takes 10 ms at 300 W, whatever the batch.
    static let flat = profile(knots: [(1, 10, 300), (64, 10, 300)])

    /// As `Config/profiles/h100-llama-3.1-8b.json`, the knots up to its batch limit.
    static let h100 = profile(
        knots: [
            (1, 6.841, 406), (7.978, 7.459, 486.4), (15.952, 8.165, 513.3),
            (31.912, 9.41, 559.7), (63.918, 12.418, 610.3), (95.702, 15.287, 644),
            (127.62, 18.137, 669.2), (191.659, 23.307, 688.3), (255.19, 28.324, 690.5),
        ], idle: 120, maxBatch: 192, prefill: (22_000, 640))

    static let npu = profile(
        knots: [(1, 10, 100), (4, 14, 140), (8, 20, 160), (16, 30, 180)], idle: 55,
        maxBatch: 16, prefill: (1_000, 230), buckets: [1, 4, 8, 16])

    /// Classifier: one forward pass per batch.
    static let classifier = profile(
        knots: [(1, 1.6, 37), (4, 2.6, 45), (8, 4, 52)], idle: 19, maxBatch: 8,
        prefill: (0, 0), buckets: [1, 4, 8], kvKilobytes: 0)

    static func milliseconds(_ value: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(value * 1e6))
    }
}

extension EmulatedEngine {
    /// Runs until nothing is left to do, or `limit` events have passed.
    mutating func drain(limit: Int = 1_000_000) -> [EngineOutput] {
        var output: [EngineOutput] = []
        var events = 0
        while let next = nextEvent(), events < limit {
            advance(to: next, into: &output)
            events += 1
        }
        return output
    }

    mutating func advance(to now: MonotonicTime) -> [EngineOutput] {
        var output: [EngineOutput] = []
        advance(to: now, into: &output)
        return output
    }
}

extension [EngineOutput] {
    /// Times at which this request's tokens came out, one entry per token.
    func tokenTimes(of wanted: UInt64) -> [Double] {
        flatMap { output -> [Double] in
            guard case .tokens(let id, _, let count, let at) = output, id == wanted else {
                return []
            }
            return [Double](repeating: at.seconds, count: count)
        }
    }

    func end(of wanted: UInt64) -> (reason: FinishReason, at: Double, energy: RequestEnergy)? {
        for case .finished(let id, let reason, let at, let energy) in self where id == wanted {
            return (reason, at.seconds, energy)
        }
        return nil
    }
}

func isClose(_ a: Double, _ b: Double, relative: Double = 1e-6) -> Bool {
    abs(a - b) <= relative * Swift.max(abs(a), abs(b), 1e-12)
}
