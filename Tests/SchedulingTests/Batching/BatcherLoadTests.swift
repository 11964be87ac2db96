import InferenceTypes
import Testing

@testable import Scheduling

/// The batcher in front of emulated cards in virtual time, under Poisson arrivals: what batching
/// adds to a message's time, and how many joules a message takes. Each card computes one batch at
/// a time, in the time and at the power that the assumed profile of the CA22 gives its bucket.
@Suite struct BatcherLoadTests {
    struct Result {
        /// From arrival to closing, and to the verdict, milliseconds; ascending.
        var waits: [Double] = []
        var times: [Double] = []
        var joules = 0.0
        var padded = 0
        var messages: Int { times.count }
        var fill: Double { Double(messages) / Double(padded) }
        func share(_ part: Double, of list: [Double]) -> Double {
            list[min(list.count - 1, Int(part * Double(list.count)))]
        }
    }

    /// Batch, milliseconds of a pass, watts.
    private static let knots: [(batch: Int, time: Double, watts: Double)] = [
        (1, 1.595, 37), (4, 2.6, 45), (8, 4, 52), (16, 7, 60), (32, 13, 66), (64, 25, 70),
    ]
    /// Joules of a message in full buckets of 64.
    static let full = 0.025 * 70 / 64

    /// - Parameters:
    ///   - rate: messages per second.
    ///   - factor: of the profile's times; joules are those of the profile.
    private func run(
        rate: Double, cards count: Int, factor: Double, messages: Int, seed: UInt64
    ) -> Result {
        var random = RandomSource(seed: seed)
        var bench = BatcherBench(places: count, queue: 1_000_000)
        var result = Result()
        // When each is free.
        var cards = [Double](repeating: 0, count: count)
        var ends: [(time: Double, took: Double)] = []
        var arrivals: [UInt64: Double] = [:]
        var (now, next, sent) = (0.0, 0.0, UInt64(0))
        while result.messages < messages {
            if sent < messages {
                next += -Mathematics.log(1 - random.nextUnit()) / rate * 1_000
            } else {
                next = .infinity
            }
            // Whatever happens before the next message comes.
            while true {
                let end = ends.first?.time ?? .infinity
                let wake = bench.wake.map { max($0, now) } ?? .infinity
                let time = min(end, wake)
                guard time < next else { break }
                now = time
                if end <= wake {
                    bench.ended(after: ends.removeFirst().took)
                }
                bench.turn(now)
                start(&bench, &cards, &ends, &arrivals, &result, now, factor)
            }
            guard next.isFinite else { continue }
            now = next
            arrivals[sent] = now
            sent += 1
            bench.add(now)
            start(&bench, &cards, &ends, &arrivals, &result, now, factor)
        }
        result.waits.sort()
        result.times.sort()
        return result
    }

    /// Gives closed batches to cards.
    private func start(
        _ bench: inout BatcherBench, _ cards: inout [Double],
        _ ends: inout [(time: Double, took: Double)], _ arrivals: inout [UInt64: Double],
        _ result: inout Result, _ now: Double, _ factor: Double
    ) {
        for batch in bench.takeClosed() {
            for item in batch.items {
                result.waits.append(now - (arrivals[item.token] ?? now))
            }
            // The card that is free first takes it, as the scheduler would choose.
            let card = cards.indices.min { cards[$0] < cards[$1] } ?? 0
            let size = batch.items.count
            let knot = Self.knots.first { $0.batch >= size } ?? Self.knots[Self.knots.count - 1]
            let end = max(now, cards[card]) + knot.time * factor
            cards[card] = end
            result.joules += knot.time / 1_000 * knot.watts
            result.padded += knot.batch
            for item in batch.items {
                result.times.append(end - (arrivals.removeValue(forKey: item.token) ?? end))
            }
            let place = ends.firstIndex { $0.time > end } ?? ends.count
            ends.insert((end, end - now), at: place)
        }
    }

    @Test func atSeventyPercentOfSixtyThousandVerdictsTakeLessThanTenMilliseconds() {
        let result = run(rate: 42_000, cards: 32, factor: 0.1, messages: 200_000, seed: 1)
        #expect(result.share(0.99, of: result.times) <= 10)
        #expect(result.share(0.99, of: result.waits) <= 2.01)
        #expect(result.fill >= 0.9)
    }

    @Test(arguments: [0.5, 0.7, 0.9])
    func atHighLoadEnergyIsThatOfFullBuckets(load: Double) {
        let result = run(
            rate: 2_560 * 8 * load, cards: 8, factor: 1, messages: 100_000, seed: 2)
        let perMessage = result.joules / Double(result.messages)
        #expect(perMessage <= 1.15 * Self.full)
        #expect(result.fill >= 0.9)
    }

    @Test func whereABatchCannotFillNothingIsAdded() {
        let result = run(rate: 400, cards: 8, factor: 1, messages: 5_000, seed: 3)
        #expect(result.share(0.999, of: result.waits) <= 0.2)
    }
}
