import Configuration
import InferenceTypes
import Telemetry
import Testing

@testable import Gateway

@Suite struct PowerBoardTests {
    private let meter = MeterID(0)

    private func board() -> PowerBoard {
        PowerBoard(
            meters: (0..<2).map {
                GatewayConfiguration.Meter(
                    name: "m\($0)", source: .dcgmExporter, location: .path("unused"),
                    scope: .accelerator)
            })
    }

    private func time(_ seconds: Double) -> MonotonicTime {
        .zero + TimeSpan(seconds: seconds)
    }

    @Test func aCountersEnergyIsTaken() throws {
        let board = board()
        board.note(meter, PowerReading(power: Watts(200), energy: Joules(1_000)), at: time(1))
        board.note(meter, PowerReading(power: Watts(210), energy: Joules(1_500)), at: time(2))
        let reading = try #require(board.latest()[0])
        #expect(reading.energy == Joules(1_500))
        #expect(reading.power == Watts(210))
        #expect(board.latest()[1] == nil)
    }

    @Test func aCounterAloneTellsMeanPower() throws {
        let board = board()
        board.note(meter, PowerReading(energy: Joules(1_000)), at: time(1))
        #expect(board.latest()[0]?.power == nil)
        board.note(meter, PowerReading(energy: Joules(1_500)), at: time(3))
        #expect(board.latest()[0]?.power == Watts(250))
        // The machine was restarted: its counter begins anew, and no power can be told.
        board.note(meter, PowerReading(energy: Joules(20)), at: time(4))
        #expect(board.latest()[0]?.power == nil)
        board.note(meter, PowerReading(energy: Joules(120)), at: time(5))
        #expect(board.latest()[0]?.power == Watts(100))
        // Twice at the same moment: no division by nothing.
        board.note(meter, PowerReading(energy: Joules(130)), at: time(5))
        #expect(board.latest()[0]?.power == nil)
    }

    @Test func aGaugeIsIntegrated() throws {
        let board = board()
        board.note(meter, PowerReading(power: Watts(100)), at: time(0))
        #expect(board.latest()[0]?.energy == .zero)
        board.note(meter, PowerReading(power: Watts(300)), at: time(2))
        board.note(meter, PowerReading(power: Watts(50)), at: time(3))
        // 2 s of 100 W and 1 s of 300 W.
        #expect(board.latest()[0]?.energy == Joules(500))
    }

    @Test func readingsAge() {
        let board = board()
        board.note(meter, PowerReading(power: Watts(100)), at: time(10))
        board.expire(at: time(40))
        #expect(board.latest()[0] != nil)
        board.expire(at: time(40.001))
        #expect(board.latest()[0] == nil)
    }

    @Test func aSuspectReadingIsNotBelieved() {
        let board = board()
        board.note(meter, PowerReading(power: Watts(5), isSuspect: true), at: time(1))
        #expect(board.latest()[0] == nil)
        board.note(meter, PowerReading(power: Watts(100)), at: time(2))
        board.note(meter, PowerReading(power: Watts(5), isSuspect: true), at: time(3))
        #expect(board.latest()[0]?.power == Watts(100))
        #expect(board.latest()[0]?.at == time(2))
    }
}
