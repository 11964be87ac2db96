import InferenceTypes
import Scheduling
import Testing

@testable import Gateway

@Suite struct EventQueueTests {
    private func numbers(_ queue: inout EventQueue) -> [UInt64] {
        var numbers: [UInt64] = []
        queue.drain { event in
            switch event {
            case .withdrawn(let id): numbers.append(id.rawValue)
            case .progress(let report): numbers += report.map(\.request.rawValue)
            default: Issue.record("\(event)")
            }
        }
        return numbers
    }

    @Test func eventsComeOutAsTheyWentIn() {
        var queue = EventQueue()
        for round in 0..<20 {
            let count = UInt64(round * 7)
            for number in 0..<count {
                // One kind in place, one with memory of its own.
                if number % 3 == 0 {
                    let entry = Scheduler.TokenProgress(
                        request: RequestID(number), outputTokens: 1)
                    queue.append(.progress([entry]))
                } else {
                    queue.append(.withdrawn(RequestID(number)))
                }
            }
            #expect(queue.count == Int(count))
            #expect(numbers(&queue) == Array(0..<count))
            #expect(queue.count == 0)
            #expect(numbers(&queue).isEmpty)
        }
    }
}
