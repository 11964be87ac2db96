import InferenceTypes
import Testing

@Suite struct RandomSourceTests {
    /// The sequence that the authors' reference program prints for these seeds.
    @Test func theSequenceIsTheKnownOne() {
        var zero = RandomSource(seed: 0)
        #expect(zero.next() == 0xE220_A839_7B1D_CDAF)
        #expect(zero.next() == 0x6E78_9E6A_A1B9_65F4)
        #expect(zero.next() == 0x06C4_5D18_8009_454F)
        var other = RandomSource(seed: 1_234_567)
        #expect(other.next() == 6_457_827_717_110_365_317)
        #expect(other.next() == 3_203_168_211_198_807_973)
    }

    @Test func theSameSeedGivesTheSameSequence() {
        var a = RandomSource(seed: 42)
        var b = a
        for _ in 0..<100 {
            let value = a.next()
            #expect(value == b.next())
        }
    }

    @Test func unitsLieBelowOne() {
        var source = RandomSource(seed: 3)
        var sum = 0.0
        for _ in 0..<10_000 {
            let unit = source.nextUnit()
            #expect(unit >= 0 && unit < 1)
            sum += unit
        }
        #expect(abs(sum / 10_000 - 0.5) < 0.02)
    }

    @Test func indicesStayBelowTheirBound() {
        var source = RandomSource(seed: 5)
        var counts = [0, 0, 0, 0, 0]
        for _ in 0..<5_000 { counts[source.nextIndex(below: 5)] += 1 }
        #expect(counts.allSatisfy { $0 > 850 && $0 < 1_150 })
        for bound in [1, 0, -7, .min] {
            let index = source.nextIndex(below: bound)
            #expect(index == 0)
        }
    }
}
