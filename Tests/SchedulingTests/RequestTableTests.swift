import InferenceTypes
import Testing

@testable import Scheduling

@Suite struct RequestTableTests {
    private func record(_ id: UInt64) -> RequestRecord {
        RequestRecord(
            request: InferenceRequest(
                id: RequestID(id), model: ModelID(0), task: .chat, promptBytes: 10),
            number: id, arrival: .zero, deadline: .zero, objective: LatencyObjective(),
            inputTokens: 1, outputTokens: 1, sequences: 1)
    }

    @Test func aRecordHoldsNoReference() { #expect(_isPOD(RequestRecord.self)) }

    @Test func whatFewHaveGoesWithTheirRequest() {
        var table = RequestTable()
        let first = table.insert(record(1))
        let second = table.insert(record(2))
        table.noteTried(3, by: first)
        #expect(table.hasTried(3, by: first) && !table.hasTried(4, by: first))
        #expect(!table.hasTried(3, by: second))
        table.remove(slot: first)
        let third = table.insert(record(3))
        #expect(third == first)
        #expect(!table.hasTried(3, by: third) && table.charge(of: third) == nil)
        #expect(table.slot(of: RequestID(3)) == third && table.slot(of: RequestID(1)) == nil)
    }
}
