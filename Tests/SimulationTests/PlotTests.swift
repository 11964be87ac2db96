import Foundation
import InferenceTypes
import Testing

@testable import Simulation

@Suite struct PlotTests {
    private func record(_ name: String) throws -> RunRecord {
        var workload = Workload()
        workload.add(
            .init(name: "s"),
            rows: (0..<20).map {
                TraceRow(
                    arrival: .milliseconds(Int64($0) * 500), inputTokens: 400, outputTokens: 50)
            }, length: .seconds(60))
        let fleet = SimulatedFleet(
            pools: [.init(name: "p", engine: .vllm, profile: TestProfile.gpu, count: 2)])
        return Simulator(
            workload: workload, fleet: fleet,
            director: Director(name: name, policy: .energyAware), seed: 1
        ).run(until: workload.horizon)
    }

    @Test func aPictureNamesEachPolicyOnceAndTheBound() throws {
        var plot = ComparisonPlot(bound: 0.001)
        for name in ["one", "one", "two <&>"] {
            plot.add(try record(name), services: [.init(name: "s")])
        }
        let svg = plot.svg
        #expect(svg.components(separatedBy: ">one<").count == 2)
        #expect(svg.contains("two &lt;&amp;&gt;"))
        #expect(svg.contains("lower bound 0.001"))
        #expect(svg.components(separatedBy: "<polyline").count == 3)
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
    }

    @Test func powerSeriesWorkedNumbers() {
        var series = PowerSeries(interval: .milliseconds(250))
        var energy = 0.0
        for watts in [100.0, 100, 100, 100, 500, 500, 500, 500, 100, 100] {
            energy += watts / 4
            series.add(energy: energy)
        }
        #expect(series.oneSecondMeans == [100, 200, 300, 400, 500, 400, 300])
        #expect(series.peak == 500)
        #expect(series.longestTime(above: Watts(300)) == .milliseconds(750))
        #expect(series.longestTime(above: Watts(500)) == .zero)
        #expect(series.mean(from: .seconds(1), to: .seconds(2)) == 500)
        #expect(series.means(points: 2) == [180, 340])
    }
}
