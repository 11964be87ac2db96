import InferenceTypes
import Testing

@testable import Scheduling

struct SlotIndexTests {
    /// Ids as the gateway makes them, in and out in any order, next to a dictionary.
    @Test func findsWhatADictionaryFinds() {
        var random = RandomSource(seed: 5)
        var index = SlotIndex()
        var dictionary: [RequestID: Int] = [:]
        for round in 0..<30_000 {
            let generation = UInt64(random.nextIndex(below: 3))
            let place = UInt64(random.nextIndex(below: round < 15_000 ? 40 : 700))
            let id = RequestID(3 << 56 | generation << 24 | place)
            if dictionary[id] == nil, random.nextUnit() < 0.6 {
                dictionary[id] = round
                index.insert(id, slot: round)
            } else {
                dictionary[id] = nil
                index.remove(id)
            }
            let other = RequestID(3 << 56 | UInt64(random.nextIndex(below: 700)))
            if index.slot(of: id) != dictionary[id] || index.slot(of: other) != dictionary[other] {
                Issue.record("another slot after \(round) rounds")
            }
        }
        #expect(index.count == dictionary.count)
        #expect(dictionary.allSatisfy { index.slot(of: $0.key) == $0.value })
    }
}
