import Configuration
import InferenceTypes
import Scheduling
import Testing

@testable import Gateway

@Suite struct SchedulerConfigurationTests {
    @Test func theFileBecomesWhatTheSchedulerNeeds() throws {
        var file = GatewayFixture.minimal()
        file.models = ["a", "b"].map { GatewayConfiguration.Model(name: $0) }
        for (index, kind) in [EngineKind.vllm, .llamaServer].enumerated() {
            let endpoints = try (0...index).map {
                GatewayConfiguration.Endpoint(
                    url: try ServiceURL("http://127.0.0.1:\(8000 + 10 * index + $0)"),
                    maxInFlight: index == 0 ? 5 : nil)
            }
            file.pools.append(
                GatewayConfiguration.Pool(
                    name: "pool-\(index)", engine: kind,
                    profile: FastProfiles.profile(name: "p\(index)"), endpoints: endpoints,
                    models: [.init(model: ModelID(index), upstream: "u")]))
        }
        var tenant = GatewayConfiguration.Tenant(name: "t")
        tenant.pools = [PoolID(1)]
        file.tenants = [tenant]
        file.policy = .leastLoad
        file.limits.queuedRequests = 17
        file.objectives[.interactive].timeToFirstToken = .milliseconds(123)

        let configuration = Scheduler.Configuration(file)
        #expect(configuration.pools.map(\.name) == ["pool-0", "pool-1"])
        #expect(configuration.pools.map(\.accelerator) == [.gpu, .cpu])
        #expect(configuration.pools.map(\.models) == [[ModelID(0)], [ModelID(1)]])
        #expect(!configuration.pools[1].tasks.contains(.classify))
        #expect(configuration.endpoints.map(\.pool.index) == [0, 1, 1])
        #expect(configuration.endpoints.map(\.profile.name) == ["p0", "p1", "p1"])
        #expect(configuration.endpoints.map(\.maxInFlight) == [5, nil, nil])
        #expect(configuration.modelCount == 2)
        #expect(configuration.tenants.map(\.allowedPools) == [[PoolID(1)]])
        #expect(configuration.policy == .leastLoad)
        #expect(configuration.limits.queuedRequests == 17)
        // What the file does not promise keeps the promise of the class.
        let interactive = configuration.objectives[ServiceClass.interactive.rank]
        #expect(interactive.timeToFirstToken == .milliseconds(123))
        #expect(interactive.interTokenLatency == .milliseconds(60))
        #expect(configuration.objectives[ServiceClass.bulk.rank] == LatencyObjective())
    }

    @Test func aPlacementExplainsItself() {
        var placement = Placement(
            endpoint: EndpointID(0), attempt: 2,
            estimate: .init(
                marginalEnergy: Joules(1.23456), timeToFirstToken: .milliseconds(12),
                interTokenLatency: .microseconds(3_450), duration: .seconds(1),
                provenance: .modelled),
            reason: .leastEnergy, candidates: 3, inputTokens: 10, outputTokens: 20)
        placement.cachedInputTokens = 8
        #expect(
            placement.explanation
                == "least_energy; candidates=3; attempt=2; joules=1.235 (modelled); "
                + "ttft_ms=12.0; itl_ms=3.5; input_tokens=10; cached_tokens=8; "
                + "output_tokens=20")
    }
}
