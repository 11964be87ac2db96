import InferenceTypes
import Testing

@Suite struct PromptBoundariesTests {
    private func places(_ ends: [Int], upTo end: Int) -> [Int] {
        var boundaries = PromptBoundaries()
        for end in ends { boundaries.note(end) }
        var places: [Int] = []
        boundaries.forEach(upTo: end) { places.append($0) }
        return places
    }

    @Test func aPlainTextIsCutAtPowersOfTwo() {
        #expect(places([], upTo: 5_000) == [1_024, 2_048, 4_096])
        #expect(places([], upTo: 1_023) == [])
        #expect(places([], upTo: 1 << 20).last == 65_536)
    }

    @Test func theFirstAndTheLastFourMessagesEndAtAPlace() {
        let ends = [300, 700, 900, 1_500, 1_600, 2_048]
        #expect(places(ends, upTo: 2_050) == [300, 900, 1_024, 1_500, 1_600, 2_048])
    }

    @Test func placesAscendAndAreFewEnoughForAPrefix() {
        var random = RandomSource(seed: 1)
        for _ in 0..<2_000 {
            var end = 0
            let ends = (0..<random.nextIndex(below: 9)).map { _ in
                end += random.nextIndex(below: 30_000)
                return end
            }
            let places = places(ends, upTo: random.nextIndex(below: 200_000))
            #expect(places.count <= PromptPrefix.greatestCount)
            #expect(zip(places, places.dropFirst()).allSatisfy { $0 < $1 })
        }
    }

    @Test func aPrefixKeepsAscendingMarksOfSomeLength() {
        var prefix = PromptPrefix(bytes: 9_000)
        for bytes in [10, 300, 300, 200, 5_000] {
            prefix.append(.init(hash: UInt64(bytes), bytes: bytes))
        }
        #expect((0..<prefix.count).map { prefix[$0].bytes } == [300, 5_000])
        for extra in 0..<20 { prefix.append(.init(hash: 1, bytes: 6_000 + extra)) }
        #expect(prefix.count == PromptPrefix.greatestCount)
        #expect(PromptPrefix().isEmpty)
    }
}
