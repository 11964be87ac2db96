import Configuration
import EmulatedEngine
import Foundation
import InferenceTypes
import Scheduling
import Testing

@testable import Simulation

/// How close the books come to what the emulated engines truly spent on each request.
struct AttributionTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func profile(_ name: String) throws -> Profile {
        try ProfileDirectories(configurationFolder: Self.root.path).profile(named: name)
    }

    private func conversation(seconds: Double) throws -> Workload {
        let trace = Self.root.appendingPathComponent(
            "Tests/Fixtures/traces/azure-llm-2023-conversation.csv")
        var workload = Workload()
        workload.add(
            .init(name: "conversation"), rows: try TraceFile.load(path: trace.path),
            length: TimeSpan(seconds: seconds))
        return workload
    }

    @Test(arguments: [RoutingPolicy.leastRequests, .energyAware])
    func requestsAreChargedWithinAFewPercentOfTheTruth(_ policy: RoutingPolicy) throws {
        let fleet = SimulatedFleet(pools: [
            SimulatedFleet.Pool(
                name: "gpu", engine: .vllm, profile: try profile("h100-llama-3.1-8b"), count: 3),
            SimulatedFleet.Pool(
                name: "npu", engine: .vllmRBLN, profile: try profile("npu-assumed-8b"), count: 3),
        ])
        let workload = try conversation(seconds: 300)
        let record = Simulator(
            workload: workload, fleet: fleet,
            director: Director(name: policy.rawValue, policy: policy), seed: 1
        ).run(until: workload.horizon)
        let median = try #require(percentile(0.5, of: record.attributionErrors))
        let tail = try #require(percentile(0.95, of: record.attributionErrors))
        print("\(policy.rawValue): attribution error p50 \(median), p95 \(tail)")
        #expect(record.attributionErrors.count > 1_000)
        #expect(tail <= 0.05)
    }

    /// Engines that are slower and hungrier than their profiles say, and no two of whose steps are
    /// alike: the meter sets the scale and the tokens set the pace, as long as the shape is right.
    @Test(arguments: [(1.25, 1.0, 0.0), (1.0, 1.3, 0.0), (0.8, 1.2, 0.05)])
    func aWrongScaleSpoilsNoSplit(_ time: Double, _ power: Double, _ noise: Double) throws {
        var options = EngineOptions()
        options.timeFactor = time
        options.powerFactor = power
        options.noise = noise
        let fleet = SimulatedFleet(pools: [
            SimulatedFleet.Pool(
                name: "gpu", engine: .vllm, profile: try profile("h100-llama-3.1-8b"),
                options: options, count: 2)
        ])
        let workload = try conversation(seconds: 300)
        let record = Simulator(
            workload: workload, fleet: fleet,
            director: Director(name: "", policy: .leastRequests), seed: 1
        ).run(until: workload.horizon)
        let median = try #require(percentile(0.5, of: record.attributionErrors))
        let tail = try #require(percentile(0.95, of: record.attributionErrors))
        print("time x\(time), power x\(power), noise \(noise): p50 \(median), p95 \(tail)")
        #expect(tail <= 0.12)
    }
}
