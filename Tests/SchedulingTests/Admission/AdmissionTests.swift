import InferenceTypes
import Testing

@testable import Scheduling

@Suite struct AdmissionTests {
    private func ticket(_ number: UInt64) -> AdmissionQueue.Ticket {
        AdmissionQueue.Ticket(number: number, slot: Int(number))
    }

    private func lane(_ rank: Int, _ model: Int = 0, tenant: Int = -1) -> AdmissionQueue.Lane {
        AdmissionQueue.Lane(rank: rank, model: ModelID(model), tenant: TenantID(tenant))
    }

    @Test func lanesAreFirstInFirstOut() {
        var queue = AdmissionQueue(models: 2, bound: 10, bulkShare: 0.5)
        for number in [3, 5, 9, 4] as [UInt64] { queue.insert(ticket(number), in: lane(1)) }
        queue.insert(ticket(1), in: lane(1, 1))
        #expect(queue.first(rank: 1, models: [0]) { _ in true }?.number == 3)
        #expect(queue.first(rank: 1, models: [0, 1]) { _ in true }?.number == 1)
        #expect(queue.first(rank: 1, models: [0]) { $0 > 3 }?.number == 4)
        #expect(queue.first(rank: 0, models: [0]) { _ in true } == nil)
        queue.remove(number: 3, from: lane(1))
        queue.remove(number: 7, from: lane(1))
        var slots: [Int] = []
        queue.appendSlots(to: &slots)
        #expect(slots == [4, 5, 9, 1])
        #expect(queue.count == 4 && queue.depths == [0, 4, 0, 0])
    }

    @Test func bulkFillsItsShareOnly() {
        var queue = AdmissionQueue(models: 1, bound: 4, bulkShare: 0.5)
        queue.insert(ticket(1), in: lane(ServiceClass.bulk.rank))
        queue.insert(ticket(2), in: lane(ServiceClass.bulk.rank))
        #expect(!queue.hasRoom(for: .bulk) && queue.hasRoom(for: .default))
        queue.insert(ticket(3), in: lane(1))
        queue.insert(ticket(4), in: lane(1))
        #expect(!queue.hasRoom(for: .system))
    }

    @Test func whoCrowdsTheQueueGoesFirst() {
        var queue = AdmissionQueue(models: 1, weights: [1, 2], bound: 20, bulkShare: 0.5)
        for number in 1...4 as ClosedRange<UInt64> {
            queue.insert(ticket(number), in: lane(1, tenant: 0))
        }
        for number in 5...9 as ClosedRange<UInt64> {
            queue.insert(ticket(number), in: lane(1, tenant: 1))
        }
        // 4 over weight 1 are more than 5 over weight 2.
        #expect(queue.last(rank: 1)?.number == 4)
        #expect(queue.last(rank: 1, for: TenantID(1))?.number == 4)
        #expect(queue.last(rank: 1, for: TenantID(0)) == nil)
        #expect(queue.last(rank: 1, for: .anonymous)?.number == 4)
        #expect(queue.last(rank: 2) == nil)
    }

    @Test func noClassIsPassedOverForEver() {
        var precedence = ClassPrecedence(bound: 3)
        var served: [Int] = []
        for _ in 0..<8 {
            let rank = precedence.overdue ?? 1
            served.append(rank)
            precedence.served(rank: rank, waiting: [0, 9, 0, 9])
        }
        #expect(served == [1, 1, 1, 3, 1, 1, 1, 3])
    }

    @Test func retryAfterIsSpreadAndBounded() {
        var random = RandomSource(seed: 3)
        for _ in 0..<200 {
            let ten = RetryAfter.seconds(for: .seconds(10), random: &random)
            #expect((10...15).contains(ten))
        }
        let bounds = [TimeSpan.zero, TimeSpan(nanoseconds: .min), .seconds(3_600), .never].map {
            RetryAfter.seconds(for: $0, random: &random)
        }
        #expect(bounds == [1, 1, 120, 120])
    }

    @Test func deadlinesComeInOrderOfTimeThenOfEntry() {
        var heap = DeadlineHeap()
        for (endpoint, time) in [(0, 5), (1, 3), (2, 5), (3, 3)] {
            heap.add(.endpoint(endpoint), at: MonotonicTime(nanoseconds: Int64(time)))
        }
        heap.keep { $0.subject != .endpoint(3) }
        var order: [DeadlineHeap.Subject] = []
        while let entry = heap.first {
            order.append(entry.subject)
            heap.removeFirst()
        }
        #expect(order == [.endpoint(1), .endpoint(0), .endpoint(2)])
    }
}
