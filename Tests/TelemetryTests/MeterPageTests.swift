import InferenceTypes
import Testing

@testable import Telemetry

@Suite struct MeterPageTests {
    private func read(
        _ exporter: ExporterKind, _ page: String, _ match: (String, String)...
    ) -> PowerReading {
        MeterPage(
            Array(page.utf8), from: exporter,
            match: match.map { MeterPage.Match(label: $0.0, value: $0.1) }
        ).reading
    }

    private let dcgm = """
        DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-a",Hostname="n1"} 512.5
        DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-b",Hostname="n1"} 300
        DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-a",Hostname="n1"} 5000
        DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="1",UUID="GPU-b",Hostname="n1"} 9223372036854775794
        DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",Hostname="n1"} 97
        """

    @Test func dcgmIsAddedUpOverTheGPUsThatMatch() {
        #expect(read(.dcgm, dcgm).power == Watts(812.5))
        #expect(read(.dcgm, dcgm).parts == 2)
        let first = read(.dcgm, dcgm, ("gpu", "0"), ("hostname", "n1"))
        #expect(first == PowerReading(power: Watts(512.5), energy: Joules(5), parts: 1))
        #expect(read(.dcgm, dcgm, ("gpu", "7")) == PowerReading())
    }

    @Test func sentinelsAreNoValues() {
        #expect(read(.dcgm, dcgm, ("gpu", "1"))
            == PowerReading(power: Watts(300), energy: nil, parts: 1))
        for blank in [9_223_372_036_854_775_808, 2_147_483_632, 140_737_488_355_328, .nan] {
            let reading = read(.dcgm, "DCGM_FI_DEV_POWER_USAGE{gpu=\"0\"} \(blank)")
            #expect(reading == PowerReading())
        }
    }

    @Test func aPartitionedGPUCountsOnce() {
        let reading = read(
            .dcgm,
            """
            DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-a",GPU_I_ID="1"} 400
            DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-a",GPU_I_ID="2"} 400
            """)
        #expect(reading == PowerReading(power: Watts(400), parts: 1))
    }

    @Test(arguments: ["rbln_npu_power", "RBLN_DEVICE_STATUS:CARD_POWER"])
    func bothGenerationsOfRBLNCountACardOnce(name: String) {
        let page = """
            \(name){card="0",deviceID="0",uuid="a",hostname="h"} 54.7
            \(name){card="0",deviceID="1",uuid="b",hostname="h"} 54.7
            \(name){card="0",deviceID="2",uuid="c",hostname="h"} 0
            \(name){card="1",deviceID="3",uuid="d",hostname="h"} 60
            """
        #expect(read(.rbln, page) == PowerReading(power: Watts(114.7), parts: 2))
        #expect(read(.rbln, page, ("card", "0")) == PowerReading(power: Watts(54.7), parts: 1))
    }

    @Test func ofTwoGenerationsOnOnePageTheNewerCounts() {
        let page = """
            RBLN_DEVICE_STATUS:CARD_POWER{card="0"} 50
            rbln_npu_power{card="0"} 55
            """
        #expect(read(.rbln, page).power == Watts(55))
    }

    @Test(arguments: [54_700.0, 54_700_000, -1])
    func aPowerBeyondBeliefIsSuspectAndLeftOut(value: Double) {
        let reading = read(
            .rbln, "rbln_npu_power{card=\"0\"} \(value)\nrbln_npu_power{card=\"1\"} 60")
        #expect(reading.isSuspect)
        #expect(reading.power == Watts(60))
    }

    @Test func keplersZonesAreNotAddedUp() {
        let sockets = """
            kepler_node_cpu_watts{zone="package",path="/0"} 100
            kepler_node_cpu_watts{zone="package",path="/1"} 110
            kepler_node_cpu_watts{zone="core",path="/0/0"} 80
            kepler_node_cpu_watts{zone="dram",path="/0/1"} 20
            kepler_node_cpu_joules_total{zone="package",path="/0"} 1000
            kepler_node_cpu_joules_total{zone="package",path="/1"} 2000
            kepler_node_cpu_joules_total{zone="core",path="/0/0"} 700
            kepler_node_cpu_idle_watts{zone="package",path="/0"} 40

            """
        #expect(read(.kepler, sockets)
            == PowerReading(power: Watts(210), energy: Joules(3000), parts: 2))
        let whole = sockets + "kepler_node_cpu_watts{zone=\"psys\",path=\"/2\"} 300\n"
        #expect(read(.kepler, whole).power == Watts(300))
        #expect(read(.kepler, whole, ("zone", "core")).power == Watts(80))
    }

    @Test func theKernelWritesMicrowatts() {
        #expect(KernelMeter.reading(power: 35_000_000, energy: 7_500_000)
            == PowerReading(power: Watts(35), energy: Joules(7.5), parts: 1))
        #expect(KernelMeter.reading(power: -5, energy: nil).isSuspect)
        #expect(KernelMeter.readHwmon("no/such/folder") == PowerReading())
    }
}
