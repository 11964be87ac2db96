import InferenceTypes
import Testing

@testable import Telemetry

/// An accelerator whose clocks a test reads every second.
private struct Chip {
    var clocks = ClockLabel()
    var second = 0.0
    var changes = 0

    mutating func run(_ seconds: Int, _ reading: (Int) -> ClockReading) {
        for number in 0..<seconds {
            second += 1
            if clocks.take(reading(number), at: .zero + TimeSpan(seconds: second)) { changes += 1 }
        }
    }

    mutating func run(_ seconds: Int, at megahertz: Double) {
        run(seconds) { _ in ClockReading(frequency: megahertz) }
    }
}

struct ClockLabelTests {
    @Test func aLockedClockIsAnotherSettingAndItsEndTheOldOne() {
        var chip = Chip()
        chip.run(300, at: 1_980)
        #expect(chip.clocks.label == 0 && chip.changes == 0)
        chip.run(119, at: 1_410)
        #expect(chip.clocks.label == 0)
        chip.run(5, at: 1_410)
        #expect(chip.clocks.label == 1)
        chip.run(1, at: 1_980)
        #expect(chip.clocks.label == 0)
        #expect(chip.changes == 2)
    }

    @Test func neitherIdlingNorAHotMinuteIsASetting() {
        var chip = Chip()
        chip.run(200, at: 1_980)
        chip.run(5_000, at: 345)
        chip.run(100, at: 1_980)
        chip.run(90, at: 1_500)
        chip.run(600) { ClockReading(frequency: $0 % 60 == 0 ? 1_980 : 1_600) }
        #expect(chip.changes == 0)
    }

    @Test func aPowerLimitAndAPerformanceStateAreSettings() {
        var chip = Chip()
        chip.run(200) { _ in ClockReading(frequency: 1_980, limit: Watts(700)) }
        chip.run(1) { _ in ClockReading(frequency: 1_980, limit: Watts(500)) }
        #expect(chip.clocks.label == 1)
        chip.run(1) { _ in ClockReading(frequency: 1_980, limit: Watts(700)) }
        #expect(chip.clocks.label == 0)
        var card = Chip()
        card.run(10) { _ in ClockReading(state: 2) }
        card.run(10) { _ in ClockReading(state: 14) }
        #expect(card.changes == 0)
        card.run(1) { _ in ClockReading(state: 6) }
        #expect(card.clocks.label == 1)
    }

    @Test func whateverAnExporterSaysTheMemoryIsBounded() {
        var random = RandomSource(seed: 3)
        var chip = Chip()
        chip.run(20_000) { _ in
            ClockReading(
                frequency: [.nan, -1, .infinity, 1e300, 0][random.nextIndex(below: 5)]
                    * random.nextUnit(),
                limit: Watts(random.nextUnit() * 1e20), state: random.nextIndex(below: 30) - 10)
        }
        #expect(chip.clocks.label > 100)
        #expect(Mirror(reflecting: chip.clocks).children.allSatisfy {
            ($0.value as? [Any])?.count ?? 0 <= 128
        })
    }

    @Test func pagesSayTheClockOfTheSlowestPart() {
        let page = MeterPage(
            Array(
                """
                DCGM_FI_DEV_SM_CLOCK{gpu="0",UUID="a"} 1980
                DCGM_FI_DEV_SM_CLOCK{gpu="1",UUID="b"} 1410
                DCGM_FI_DEV_POWER_MGMT_LIMIT{gpu="0",UUID="a"} 700
                DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="a"} 100
                """.utf8), from: .dcgm
        ).reading
        #expect(page.clocks == ClockReading(frequency: 1_410, limit: Watts(700)))
        #expect(page.power == Watts(100) && page.parts == 1)
        let card = MeterPage(
            Array("rbln_npu_power_state{card=\"0\",uuid=\"a\"} 6".utf8), from: .rbln
        ).reading
        #expect(card.clocks.state == 6)
    }
}
