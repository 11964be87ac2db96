import InferenceTypes
import Testing

@testable import Scheduling

@Suite struct BatcherTests {
    @Test func aMessageThatComesAloneIsSentAtOnce() {
        var bench = BatcherBench()
        bench.add(0)
        bench.ended(after: 1.6)
        bench.add(500)
        #expect(bench.sizes == [1, 1])
        #expect(bench.causes == [.alone, .alone])
        #expect(bench.wake == nil)
    }

    @Test func aFullBatchClosesInTheMiddleOfATurn() {
        var bench = BatcherBench()
        bench.add(0, count: 150)
        // What is left of the burst may not overtake the batches that compute.
        #expect(bench.sizes == [64, 64])
        #expect(bench.causes == [.size, .size])
        #expect(bench.batcher.waiting(BatcherBench.model) == 22)
        bench.ended(after: 25)
        bench.ended(after: 25)
        bench.turn(30)
        bench.ended(after: 7)
        bench.turn(40)
        #expect(bench.sizes == [64, 64, 16, 6])
        #expect(bench.causes == [.size, .size, .age, .age])
        #expect(bench.closed.flatMap(\.items).map(\.token) == Array(0..<150))
    }

    @Test func arrivalsThatWillFillABucketAreWaitedFor() {
        var bench = BatcherBench(places: 1_000)
        // One each 0.1 ms: some 20 in the longest wait, so buckets of 16 fill and others do not.
        for step in 0..<2_000 { bench.add(Double(step) * 0.1) }
        let settled = bench.closed.dropFirst(bench.closed.count / 2)
        #expect(settled.allSatisfy { $0.items.count == 16 && $0.cause == .bucketEdge })
        for batch in settled {
            let arrivals = batch.items.map(\.arrival)
            let waited = (arrivals.last ?? .zero) - (arrivals.first ?? .zero)
            #expect(waited <= .milliseconds(2))
        }
    }

    @Test func whoComesBackIsAsOldAsItWas() throws {
        var bench = BatcherBench(places: 1_000)
        var now = 0.0
        var count = 0
        func come(_ arrival: Double? = nil) {
            bench.add(now, arrival: arrival)
            count += 1
        }
        // Until the rate is known and a lane has just closed.
        while now < 10 || bench.batcher.waiting(BatcherBench.model) != 1 {
            now += 0.1
            come()
        }
        let closed = bench.closed.count
        let before = try #require(bench.wake)
        come(now - 1.5)
        // Its two milliseconds are over first.
        #expect(abs((bench.wake ?? 0) - (now + 0.5)) < 0.001)
        let isGone = bench.leave(count - 1)
        #expect(isGone)
        bench.turn(now)
        #expect(bench.wake == before)
        #expect(bench.closed.count == closed)
        come(now - 2.5)
        // Two passes of one cost less than one of four.
        #expect(bench.causes.dropFirst(closed) == [.age, .age])
        #expect(bench.closed.last?.items.map(\.token) == [UInt64(count - 1)])
        #expect(bench.batcher.waiting(BatcherBench.model) == 0)
    }

    @Test func arrivalsThatWillNotFillABucketAreNotWaitedFor() {
        var bench = BatcherBench(places: 1_000)
        // One each 2 ms: the next bucket holds four.
        for step in 0..<200 { bench.add(Double(step) * 2) }
        #expect(bench.sizes == Array(repeating: 1, count: 200))
        #expect(bench.closed.allSatisfy { $0.cause == .alone })
    }

    @Test func aBatchThatTheRatePromisedAndDidNotFillClosesByAge() throws {
        var bench = BatcherBench(places: 1_000)
        for step in 0..<101 { bench.add(Double(step) * 0.1) }
        let before = bench.closed.count
        let wake = try #require(bench.wake)
        #expect(wake <= 12)
        bench.turn(wake)
        #expect(bench.closed.count > before)
        #expect(bench.closed[before].cause == .age)
        #expect(bench.batcher.waiting(BatcherBench.model) == 0)
    }

    @Test func whileAllPlacesComputeABatchGrows() {
        var bench = BatcherBench()
        bench.add(0)
        for step in 1...31 { bench.add(Double(step) * 5) }
        #expect(bench.sizes == [1])
        #expect(bench.wake == nil)
        bench.ended(after: 160)
        bench.turn(160)
        #expect(bench.sizes == [1, 31])
        #expect(bench.batcher.waiting(BatcherBench.model) == 0)
    }

    @Test func aDeadlineClosesABatchInTime() throws {
        var bench = BatcherBench()
        bench.add(0)
        bench.ended(after: 3)
        bench.add(10)
        // The place is taken; 3 ms before its deadline the message goes all the same.
        bench.add(11, deadline: 21)
        #expect(bench.sizes == [1, 1])
        #expect(try #require(bench.wake) == 18)
        bench.turn(18)
        #expect(bench.sizes == [1, 1, 1])
        #expect(bench.causes.last == .deadline)
    }

    @Test func aDeadlineThatCannotBeKeptHurriesNobody() {
        var bench = BatcherBench()
        bench.add(0)
        bench.ended(after: 30)
        bench.add(40)
        bench.add(41, deadline: 50)
        #expect(bench.sizes == [1, 1])
        #expect(bench.wake == nil)
    }

    @Test func groupsNeverShareABatch() {
        var bench = BatcherBench()
        for step in 0..<300 { bench.add(Double(step) * 0.01, group: step % 3 - 1) }
        for _ in 0..<50 {
            bench.ended(after: 1)
            bench.turn(100)
        }
        #expect(bench.closed.map(\.items.count).reduce(0, +) == 300)
        for batch in bench.closed {
            #expect(batch.items.allSatisfy { Int($0.token) % 3 - 1 == batch.group })
        }
    }

    @Test func noMoreWaitThanMay() {
        var bench = BatcherBench(queue: 10)
        bench.add(0)
        let fits = bench.add(1, count: 10)
        let isOver = bench.add(2)
        #expect(fits)
        #expect(!isOver)
        #expect(!bench.batcher.hasRoom(for: 1, of: BatcherBench.model))
        #expect(bench.batcher.waiting(BatcherBench.model) == 10)
    }

    @Test func whoLeftIsForgotten() {
        var bench = BatcherBench()
        bench.add(0)
        bench.add(1, count: 10)
        for token in stride(from: 2, through: 10, by: 2) {
            let isGone = bench.leave(token)
            #expect(isGone)
        }
        // One is on its way, one has left.
        let isGoneAgain = bench.leave(0) || bench.leave(2)
        #expect(!isGoneAgain)
        #expect(bench.batcher.waiting(BatcherBench.model) == 5)
        bench.ended(after: 2)
        bench.turn(3)
        #expect(bench.closed.dropFirst().flatMap(\.items).allSatisfy { $0.token % 2 == 1 })
    }

    /// A held lane fills up and all leave again, one by one, in a turn each: steps, not time.
    @Test(arguments: ["oldest first", "newest first", "anyhow"])
    func leavingCostsAFewStepsEach(order: String) {
        func steps(_ count: Int) -> Int {
            var bench = BatcherBench(queue: 1 << 20, preservesOrder: true)
            bench.add(0, count: 64)
            for step in 0..<count {
                bench.add(1 + Double(step) * 0.01, deadline: 5_000 + Double(step) * 0.01)
            }
            let before = bench.batcher.steps(BatcherBench.model)
            for step in 0..<count {
                let token =
                    switch order {
                    case "oldest first": step
                    case "newest first": count - 1 - step
                    // A prime that does not divide the count.
                    default: step * 7_919 % count
                    }
                let isGone = bench.leave(64 + token)
                #expect(isGone)
                if step % 16 == 0 { bench.turn(6_000 + Double(step) * 0.01) }
            }
            #expect(bench.batcher.waiting(BatcherBench.model) == 0)
            #expect(bench.sizes == [64])
            return bench.batcher.steps(BatcherBench.model) - before
        }
        let (few, many) = (steps(1_000), steps(16_000))
        #expect(few <= 10 * 1_000, "\(few)")
        #expect(many <= 10 * 16_000, "\(many)")
    }

    @Test func whoIsLeftTravelsInOrder() {
        var bench = BatcherBench(preservesOrder: true)
        bench.add(0, count: 64)
        bench.add(1, count: 200)
        var left = Set(64..<264)
        for token in stride(from: 64, to: 264, by: 3) {
            let isGone = bench.leave(token)
            #expect(isGone)
            left.remove(token)
        }
        for step in 1...4 {
            bench.ended(after: 20)
            bench.turn(Double(step) * 20)
        }
        let tokens = bench.closed.dropFirst().flatMap(\.items).map { Int($0.token) }
        #expect(tokens == left.sorted())
    }

    @Test func aLaneThatKeepsItsOrderHasOneBatchUnderWay() {
        var bench = BatcherBench(places: 8, preservesOrder: true)
        bench.add(0, count: 200)
        #expect(bench.sizes == [64])
        for step in 1...4 {
            bench.ended(after: 20)
            bench.turn(Double(step) * 20)
        }
        #expect(bench.sizes == [64, 64, 64, 8])
        #expect(bench.closed.flatMap(\.items).map(\.token) == Array(0..<200))
    }

    @Test func bucketsAreSplitWhereThatSaves() {
        let rule = BatchingRule(
            maxBatchSize: 64, buckets: BatcherBench.buckets, maxQueueDelay: .zero)
        #expect([1, 3, 5, 7, 9, 40, 48, 63, 64].map(rule.share) == [1, 3, 4, 7, 8, 32, 32, 63, 64])
        let plain = BatchingRule(maxBatchSize: 64, maxQueueDelay: .zero)
        #expect([1, 40, 64].map(plain.share) == [1, 40, 64])
    }

    /// Whatever comes, each message is in exactly one batch, and no batch is too large.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func everyMessageIsInOneBatch(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var bench = BatcherBench(places: 2)
        var time = 0.0
        var sent = 0
        for _ in 0..<3_000 {
            time += Double(random.next() % 1_000) / 500
            let count = Int(random.next() % 40)
            let deadline = random.next() % 3 == 0 ? time + Double(random.next() % 20) : nil
            bench.add(time, count: count, group: Int(random.next() % 4), deadline: deadline)
            sent += count
            while bench.batcher.underway(BatcherBench.model) > Int(random.next() % 4) {
                bench.ended(after: Double(random.next() % 10))
            }
            bench.turn(time)
        }
        while bench.batcher.waiting(BatcherBench.model) > 0 {
            while bench.batcher.underway(BatcherBench.model) > 0 { bench.ended(after: 1) }
            time += 5
            bench.turn(time)
        }
        let tokens = bench.closed.flatMap { $0.items.map(\.token) }.sorted()
        #expect(tokens == Array(0..<UInt64(sent)))
        #expect(bench.closed.allSatisfy { 1...64 ~= $0.items.count })
    }
}
