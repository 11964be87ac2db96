import InferenceTypes
import Testing

@testable import Telemetry

private func at(_ seconds: Double) -> MonotonicTime { .zero + TimeSpan(seconds: seconds) }

/// A meter that a test reads: windows as they come.
private struct Readings {
    var integrator = MeterIntegrator(
        meter: MeterID(3), provenance: .measured, ceiling: Watts(1_000), at: .zero)
    var windows: [MeterWindow] = []

    mutating func counter(_ joules: Double?, at seconds: Double, parts: Int = 1) {
        let reading = PowerReading(energy: joules.map { Joules($0) }, parts: parts)
        integrator.take(reading, at: at(seconds), into: &windows)
    }

    mutating func power(_ watts: Double?, at seconds: Double) {
        let reading = PowerReading(power: watts.map { Watts($0) }, parts: watts == nil ? 0 : 1)
        integrator.take(reading, at: at(seconds), into: &windows)
    }

    mutating func nothing(at seconds: Double) { integrator.tick(at: at(seconds), into: &windows) }

    /// `kind start-end joules`.
    var words: [String] {
        windows.map {
            "\($0.kind.rawValue) \($0.start.seconds)-\($0.end.seconds) \($0.energy.joules.value)"
        }
    }
}

@Suite struct MeterIntegratorTests {
    @Test func aCounterGivesItsOwnDifferences() {
        var meter = Readings()
        for second in 0...12 { meter.counter(1_000 + Double(second) * 300, at: Double(second)) }
        #expect(meter.words == ["metered 0.0-5.0 1500.0", "metered 5.0-10.0 1500.0"])
        #expect(meter.windows.allSatisfy { $0.isMeasured && $0.meter == MeterID(3) })
    }

    @Test func windowsOfASlowExporterEndWhereItsCounterChanged() {
        var meter = Readings()
        for second in 0...95 {
            meter.counter(Double(second / 30 * 30) * 200, at: Double(second))
        }
        #expect(
            meter.words == [
                "metered 0.0-30.0 6000.0", "metered 30.0-60.0 6000.0", "metered 60.0-90.0 6000.0",
            ])
    }

    @Test func powerIsIntegratedByTrapezoids() {
        var meter = Readings()
        for (second, watts) in [(0.0, 100.0), (2, 300), (4, 100), (6, 100)] {
            meter.power(watts, at: second)
        }
        #expect(meter.words == ["metered 0.0-6.0 1000.0"])
    }

    @Test func repeatedAndLateReadingsChangeNothing() {
        var meter = Readings()
        meter.counter(0, at: 0)
        meter.counter(600, at: 3)
        meter.counter(600, at: 3)
        meter.counter(100, at: 2)
        meter.counter(1_000, at: 5)
        #expect(meter.words == ["metered 0.0-5.0 1000.0"])
        #expect(meter.integrator.resets == 0)
    }

    @Test func aResetIsTheModelsToSayAndCountingGoesOn() {
        var meter = Readings()
        meter.counter(1_000, at: 0)
        meter.counter(2_000, at: 3)
        meter.counter(50, at: 4)
        meter.counter(1_050, at: 9)
        #expect(
            meter.words == [
                "metered 0.0-3.0 1000.0", "imputed 3.0-4.0 0.0", "conceded 3.0-4.0 0.0",
                "metered 4.0-9.0 1000.0",
            ])
        #expect(meter.integrator.resets == 1)
        #expect(meter.windows[1].provenance == .modelled)
    }

    @Test func aCounterThatReturnsSpansTheSilence() {
        var meter = Readings()
        meter.counter(0, at: 0)
        meter.counter(600, at: 4)
        for second in stride(from: 5.0, through: 44, by: 1) { meter.nothing(at: second) }
        meter.counter(9_600, at: 44.5)
        meter.counter(10_000, at: 49.5)
        let recovered = meter.windows.filter { $0.kind == .recovered }
        #expect(recovered.map(\.energy.joules.value) == [9_000])
        #expect(recovered.first?.start == at(4) && recovered.first?.end == at(44.5))
        #expect(meter.words.last == "metered 44.5-49.5 400.0")
        #expect(meter.words.first == "metered 0.0-4.0 600.0")
    }

    @Test func anExporterOf45SecondsIsSilentOnceAndThenKnown() {
        var meter = Readings()
        for second in 0...200 {
            meter.counter(Double(second / 45 * 45) * 200, at: Double(second))
        }
        #expect(meter.windows.filter { $0.kind == .recovered }.count == 1)
        #expect(
            Array(meter.words.suffix(3)) == [
                "metered 45.0-90.0 9000.0", "metered 90.0-135.0 9000.0",
                "metered 135.0-180.0 9000.0",
            ])
    }

    @Test func aPartThatStaysAwayIsGone() {
        var meter = Readings()
        for second in 0...5 { meter.counter(Double(second) * 400, at: Double(second), parts: 2) }
        for second in 6...40 { meter.counter(Double(second) * 200, at: Double(second), parts: 1) }
        #expect(meter.integrator.rejected == 11)
        #expect(meter.words.last == "metered 32.0-37.0 1000.0")
        // One that only stays away now and then is missed, not forgotten.
        var other = Readings()
        for second in 0...60 {
            let isWhole = second % 6 == 0
            other.counter(Double(second) * 400, at: Double(second), parts: isWhole ? 2 : 1)
        }
        #expect(other.words.last == "metered 54.0-60.0 2400.0")
    }

    @Test func aGaugeCannotSayWhatItMissed() {
        var meter = Readings()
        for second in stride(from: 0.0, through: 6, by: 2) { meter.power(200, at: second) }
        for second in stride(from: 7.0, through: 50, by: 1) { meter.nothing(at: second) }
        meter.power(200, at: 51)
        meter.power(200, at: 57)
        #expect(meter.windows.contains { $0.kind == .conceded && $0.end == at(51) })
        #expect(!meter.windows.contains { $0.kind == .recovered })
        #expect(meter.words.last == "metered 51.0-57.0 1200.0")
    }

    /// A spike, a blank, a missing card and a wrong unit.
    @Test func whatIsBeyondBeliefIsLeftOut() {
        var meter = Readings()
        meter.counter(0, at: 0, parts: 2)
        meter.counter(9_000_000, at: 1, parts: 2)
        meter.counter(300, at: 2, parts: 1)
        meter.counter(nil, at: 3, parts: 0)
        meter.counter(.nan, at: 4, parts: 2)
        meter.counter(2_500, at: 5, parts: 2)
        #expect(meter.words == ["metered 0.0-5.0 2500.0"])
        #expect(meter.integrator.rejected >= 2)
        // It has really jumped: a new beginning.
        meter.counter(9_000_000, at: 6, parts: 2)
        meter.counter(9_000_400, at: 7, parts: 2)
        meter.counter(9_002_400, at: 12, parts: 2)
        #expect(meter.words.last == "metered 7.0-12.0 2000.0")
        #expect(meter.integrator.resets == 1)
    }

    @Test func aMeterThatNeverSpokeIsImputedPieceByPiece() {
        var meter = Readings()
        for second in stride(from: 0.0, through: 700, by: 1) { meter.nothing(at: second) }
        #expect(meter.integrator.state == .silent)
        #expect(meter.windows.contains { $0.kind == .conceded })
        #expect(meter.windows.allSatisfy { $0.provenance == .modelled })
    }

    /// Whatever a meter says and when: windows follow each other without a gap or an overlap, and
    /// every silence is settled once.
    @Test(arguments: 1...50)
    func windowsFollowEachOtherWhateverComes(_ seed: UInt64) {
        var random = RandomSource(seed: seed)
        var meter = Readings()
        var counter = 0.0
        var second = 0.0
        for _ in 0..<400 {
            second += random.nextUnit() * (random.nextUnit() < 0.05 ? 60 : 3)
            counter += random.nextUnit() * 500
            switch random.nextIndex(below: 12) {
            case 0: counter = 0
            case 1: counter += 1e7
            case 2: meter.nothing(at: second)
            case 3: meter.power(random.nextUnit() * 900, at: second)
            case 4: meter.counter(counter, at: second - 1)
            case 5: meter.counter(counter, at: second, parts: 1 + random.nextIndex(below: 2))
            default: meter.counter(counter, at: second)
            }
        }
        var end: MonotonicTime?
        var silence: MonotonicTime?
        for window in meter.windows {
            switch window.kind {
            case .metered:
                #expect(silence == nil)
                #expect(end == nil || window.start == end)
                end = window.end
            case .imputed:
                #expect(end == nil || window.start == end)
                silence = silence ?? window.start
                end = window.end
            case .recovered, .conceded:
                #expect(window.start == silence && window.end == end)
                silence = nil
            }
            #expect(window.energy.value >= 0 && window.end > window.start)
        }
    }
}
