import InferenceTypes
import Testing

@testable import Transport

@Suite struct StreamCoalescingTests {
    /// Turns of `events` streamed events each, every `interval`; the last one's verdict.
    private func verdict(
        _ coalescing: inout StreamCoalescing, turns: Int, events: Int, writes: Int = 1,
        every interval: TimeSpan, from start: MonotonicTime = .zero
    ) -> TimeSpan {
        var last = TimeSpan.zero
        for turn in 0..<turns {
            for _ in 0..<events { coalescing.noteEvent() }
            last = coalescing.turnEnded(
                at: start + TimeSpan(nanoseconds: Int64(turn) * interval.nanoseconds),
                writes: writes)
        }
        return last
    }

    @Test func manySmallTurnsGather() {
        var coalescing = StreamCoalescing(pause: .microseconds(150))
        let pause = verdict(&coalescing, turns: 300, events: 1, every: .microseconds(50))
        #expect(pause == .microseconds(150))
    }

    @Test func aQuietStreamNeverWaits() {
        var coalescing = StreamCoalescing(pause: .microseconds(150))
        for turn in 1..<200 {
            let pause = verdict(
                &coalescing, turns: 1, events: 1, every: .zero,
                from: .zero + TimeSpan.milliseconds(Int64(turn) * 5))
            #expect(pause == .zero)
        }
    }

    @Test func anythingElseInTheTurnForbidsIt() {
        var coalescing = StreamCoalescing(pause: .microseconds(150))
        _ = verdict(&coalescing, turns: 300, events: 1, every: .microseconds(50))
        coalescing.noteUrgent()
        coalescing.noteEvent()
        let now = MonotonicTime.zero + TimeSpan.milliseconds(15)
        #expect(coalescing.turnEnded(at: now, writes: 1) == .zero)
        coalescing.noteEvent()
        #expect(coalescing.turnEnded(at: now, writes: 1) == .microseconds(150))
    }

    @Test func batchesThatComeByThemselvesAreNotDelayed() {
        var coalescing = StreamCoalescing(pause: .microseconds(150))
        let pause = verdict(
            &coalescing, turns: 300, events: 8, writes: 2, every: .microseconds(50))
        #expect(pause == .zero)
    }

    @Test func aBusyMomentLongAgoDoesNotCount() {
        var coalescing = StreamCoalescing(pause: .microseconds(150))
        _ = verdict(&coalescing, turns: 300, events: 1, every: .microseconds(50))
        let later = MonotonicTime.zero + TimeSpan.seconds(60)
        #expect(verdict(&coalescing, turns: 1, events: 1, every: .zero, from: later) == .zero)
    }

    @Test func zeroTurnsItOff() {
        var coalescing = StreamCoalescing(pause: .zero)
        #expect(verdict(&coalescing, turns: 300, events: 1, every: .microseconds(50)) == .zero)
    }
}
