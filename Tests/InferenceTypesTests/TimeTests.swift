import InferenceTypes
import Testing

@Suite struct TimeTests {
    @Test func sumsSaturate() {
        #expect(TimeSpan.never + .seconds(1) == .never)
        let least = TimeSpan(nanoseconds: .min)
        #expect(least - .seconds(1) == least)
        #expect(least + TimeSpan(nanoseconds: -1) == least)
        #expect(TimeSpan.never - TimeSpan(nanoseconds: -1) == .never)
        #expect(TimeSpan.seconds(.max) == .never)
        #expect(TimeSpan.milliseconds(.min).nanoseconds == .min)
        #expect(MonotonicTime.distantFuture + .seconds(1) == .distantFuture)
        let first = MonotonicTime(nanoseconds: .min)
        #expect(first - .seconds(1) == first)
        #expect(MonotonicTime.distantFuture - first == .never)
    }

    @Test func unitsConvert() {
        #expect(TimeSpan.seconds(2) == .milliseconds(2_000))
        #expect(TimeSpan.milliseconds(3) == .microseconds(3_000))
        #expect(TimeSpan.seconds(-2).seconds == -2)
        #expect(TimeSpan.microseconds(1_500).milliseconds == 1.5)
        #expect(MonotonicTime(nanoseconds: 2_500_000_000).seconds == 2.5)
        #expect(MonotonicTime.zero + .seconds(3) - MonotonicTime.zero == .seconds(3))
    }

    @Test(arguments: [
        (1.5, 1_500_000_000), (-0.25, -250_000_000), (0, 0), (.nan, 0), (.infinity, Int64.max),
        (-.infinity, Int64.min), (1e300, Int64.max), (9.3e9, Int64.max),
        (9.1e9, 9_100_000_000_000_000_000),
        (1e-12, 0),
    ] as [(Double, Int64)])
    func fractionalSecondsBecomeNanoseconds(seconds: Double, nanoseconds: Int64) {
        #expect(TimeSpan(seconds: seconds).nanoseconds == nanoseconds)
    }

    @Test func instantsAreOrdered() {
        #expect(MonotonicTime.zero < .distantFuture)
        #expect(TimeSpan.zero < .never)
        #expect(TimeSpan.seconds(-1) < .zero)
    }
}
