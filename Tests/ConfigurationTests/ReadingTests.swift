import InferenceTypes
import Testing

@testable import Configuration

@Suite struct ReadingTests {
    @Test func aSmallFileGetsEveryDefault() throws {
        let configuration = try parse(valid()).get()
        #expect(configuration.listeners == [.init(address: "127.0.0.1", port: 30_000)])
        #expect(configuration.admin.port == 29_000)
        #expect(configuration.policy == .energyAware)
        #expect(configuration.limits == Limits())
        #expect(configuration.models.map(\.name) == ["m"])
        #expect(configuration.pools[0].models == [.init(model: ModelID(0), upstream: "m")])
        #expect(configuration.pools[0].accelerator == .gpu)
        #expect(configuration.deniedFields.count == 3)
    }

    @Test func everyValueArrives() throws {
        let text = try packageFile("Tests/Fixtures/configuration/full.yaml")
        let report = parse(text, environment: ["API_KEY": "s3cret"])
        #expect(report.issues.isEmpty)
        let c = try report.get()
        #expect(c.listeners[0].tls == .init(certificate: "c.pem", key: "k.pem"))
        #expect(c.admin.apiKeySHA256?.shortened == "00112233...")
        #expect(c.site.totalPowerLimit == Watts(6000.5))
        #expect(c.site.pue == 1.2)
        #expect(c.meters[0].match == [.init(label: "zone", value: "package")])
        #expect(c.meters[1].location == .path("class/hwmon/hwmon0"))
        #expect(c.meters[1].scope == .host)
        let endpoint = c.pools[0].endpoints[0]
        #expect(endpoint.meters == [MeterID(0), MeterID(1)])
        #expect(endpoint.maxInFlight == 7)
        #expect(endpoint.url == ServiceURL(scheme: .https, host: "h", port: 8000))
        #expect(c.pools[0].apiKey == "s3cret")
        #expect(c.pools[0].upstreamName(of: ModelID(0)) == "up/stream")
        #expect(c.model(named: "b") == ModelID(0))
        #expect(c.models[0].objective.timeToFirstToken == .milliseconds(900))
        #expect(c.models[0].batching?.preferredBatchSizes == [8, 16])
        #expect(c.models[0].batching?.maxQueueDelay == .microseconds(1500))
        #expect(c.objectives[.bulk].interTokenLatency == .milliseconds(8))
        #expect(c.tenants[0].pools == [PoolID(0)])
        #expect(c.tenants[0].weight == 2.5)
        #expect(c.tenants[0].objective.timeToFirstToken == .milliseconds(9))
        #expect(c.tenants[0].objective.interTokenLatency == .milliseconds(10))
        #expect(c.tenants[0].allowRestrictedFields)
        #expect(c.policy == .leastLoad)
        #expect(c.shadowPolicy == .roundRobin)
        #expect(c.limits.requestBodyBytes == 1_000)
        #expect(c.limits.queueTimeout == .milliseconds(1234))
        #expect(c.probes.path == "/ready")
        #expect(c.profilesDirectory == "elsewhere")
    }

    @Test(arguments: ["Config/demo.yaml", "Config/demo-llm.yaml", "Config/example.yaml"])
    func theFilesThatShipLoadWithoutAWord(path: String) throws {
        let report = try GatewayConfiguration.report(
            path: packageFolder + "/" + path, environment: [:])
        #expect(report.issues.map(\.description) == [])
        let configuration = try report.get()
        #expect(configuration.pools.count == 3)
        #expect(configuration.model(named: "gpt-4o-mini") == ModelID(0))
    }

    @Test func theDemoFleetIsWhatTheEmulatorStarts() throws {
        let demo = try GatewayConfiguration.load(
            path: packageFolder + "/Config/demo.yaml", environment: [:])
        #expect(demo.endpoints.map(\.endpoint.url.port) == [8101, 8102, 8111, 8112, 8121])
        #expect(demo.endpoints.map(\.pool.index) == [0, 0, 1, 1, 2])
        #expect(demo.pools.map(\.accelerator) == [.gpu, .npu, .cpu])
        #expect(demo.pools.map { $0.upstreamName(of: ModelID(0)) } == [
            "skt/A.X-4.0", "skt/A.X-4.0", "ax-4.0-q4",
        ])
        #expect(demo.endpoints.map { $0.endpoint.meters.map(\.index) } == [
            [0], [1], [2], [3], [4],
        ])
    }

    @Test func theEnvironmentFillsIn() throws {
        let text = valid(with: "log_level: ${LEVEL:-debug}\nthreads: ${N}")
        let configuration = try parse(text, environment: ["N": "3"]).get()
        #expect(configuration.logLevel == .debug)
        #expect(configuration.threads == 3)
        #expect(throws: ConfigurationError.self) { try parse(text).get() }
        let issues = parse(text, environment: ["N": "s3cret"]).issues
        #expect(issues.map(\.message) == [
            "expected a whole number, found a value from the environment"
        ])
    }

    @Test func aliasesStandForTheirAnchors() throws {
        let text = valid(
            with: """
                classes:
                  interactive: {slo: &promise {ttft_ms: 10}}
                  default: {slo: *promise}
                """)
        let configuration = try parse(text).get()
        #expect(configuration.objectives[.default].timeToFirstToken == .milliseconds(10))
    }
}
