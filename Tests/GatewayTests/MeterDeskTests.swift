import Configuration
import InferenceTypes
import Telemetry
import Testing

@testable import Gateway

struct MeterDeskTests {
    @Test func aMovedPowerLimitRelabelsTheEndpointsThatTheMeterSees() {
        var configuration = GatewayFixture.minimal()
        configuration.meters = (0..<2).map {
            GatewayConfiguration.Meter(
                name: "m\($0)", source: .dcgmExporter, location: .path("unused"),
                scope: .accelerator)
        }
        let url = ServiceURL(scheme: .http, host: "127.0.0.1", port: 1)
        configuration.pools = [[MeterID(0)], [MeterID(1)], [MeterID(0), MeterID(1)]].map {
            GatewayConfiguration.Pool(
                name: "p", engine: .vllm, profile: FastProfiles.profile(),
                endpoints: [.init(url: url, meters: $0)], models: [])
        }
        var labels: [EndpointID: [UInt64]] = [:]
        let desk = MeterDesk(
            configuration, board: PowerBoard(meters: configuration.meters), at: .zero,
            submit: { _ in }, relabel: { labels[$0, default: []].append($1) })
        for (second, limit) in [700.0, 700, 500, 500, 700].enumerated() {
            for meter in 0..<2 {
                let clocks = ClockReading(limit: Watts(meter == 0 ? limit : 700))
                var reading = PowerReading(power: Watts(300), parts: 1)
                reading.clocks = clocks
                desk.note(MeterID(meter), reading, at: .zero + .seconds(Int64(second + 1)))
            }
        }
        #expect(labels[EndpointID(0)] == [1, 0])
        #expect(labels[EndpointID(1)] == nil)
        #expect(labels[EndpointID(2)]?.count == 2)
        #expect(labels[EndpointID(2)]?.last == 0)
    }
}
