import Configuration
import InferenceAPI
import InferenceTypes
import Testing
import WireProtocols

@testable import Gateway

@Suite struct DirectoryTests {
    private func configuration() throws -> GatewayConfiguration {
        var configuration = GatewayFixture.minimal()
        configuration.models = ["big", "small"].map { GatewayConfiguration.Model(name: $0) }
        configuration.models[0].aliases = ["large", "small"]
        configuration.models[1].objective.timeToFirstToken = .milliseconds(300)
        configuration.objectives[.default] = LatencyObjective(
            timeToFirstToken: .seconds(2), interTokenLatency: .milliseconds(90))
        let urls = ["http://127.0.0.1:8001", "http://127.0.0.1:8002/engine/", "http://[::1]:8003/a"]
        for (index, url) in urls.enumerated() {
            configuration.pools.append(
                GatewayConfiguration.Pool(
                    name: "pool-\(index)", engine: .vllm, profile: FastProfiles.profile(),
                    endpoints: [GatewayConfiguration.Endpoint(url: try ServiceURL(url))],
                    models: [.init(model: ModelID(index % 2), upstream: "u\(index)")]))
        }
        return configuration
    }

    @Test func endpointsAreNumberedOverAllPools() throws {
        let directory = try Directory(try configuration())
        #expect(directory.endpoints.map(\.id.index) == [0, 1, 2])
        #expect(directory.endpoints.map(\.pool.index) == [0, 1, 2])
        #expect(
            directory.endpoints.map(\.authority)
                == ["127.0.0.1:8001", "127.0.0.1:8002", "[::1]:8003"])
        #expect(directory.endpoints.map(\.pathPrefix) == ["", "/engine", "/a"])
    }

    @Test func modelsAreFoundByNameAndAliasAndTheFirstOneWins() throws {
        let directory = try Directory(try configuration())
        #expect(directory.model(named: "big") == ModelID(0))
        #expect(directory.model(named: "large") == ModelID(0))
        // An alias that is another model's name: the order of the file decides.
        #expect(directory.model(named: "small") == ModelID(0))
        #expect(directory.model(named: "Big") == nil)
        #expect(directory.model(named: "") == nil)
        #expect(directory.modelName(ModelID(1)) == "small")
    }

    @Test func aModelsOwnPromiseGoesBeforeThatOfItsClass() throws {
        let directory = try Directory(try configuration())
        let own = directory.objective(ModelID(1), .default, .anonymous)
        #expect(own.timeToFirstToken == .milliseconds(300))
        #expect(own.interTokenLatency == .milliseconds(90))
        #expect(directory.objective(ModelID(0), .bulk, .anonymous) == LatencyObjective())
    }

    @Test(arguments: [1, 4, 5, 30])
    func everyNameOfAModelLeadsToIt(models: Int) throws {
        var configuration = try configuration()
        configuration.models = (0..<models).map { index in
            var model = GatewayConfiguration.Model(name: "model-\(index)")
            model.aliases = ["alias-\(index)"]
            return model
        }
        let directory = try Directory(configuration)
        for index in 0..<models {
            #expect(directory.model(named: "model-\(index)") == ModelID(index))
            #expect(directory.model(named: "alias-\(index)") == ModelID(index))
        }
        for name in ["", "model", "model-\(models)", "MODEL-0"] {
            #expect(directory.model(named: name) == nil)
        }
    }

    @Test func withoutTenantsEveryoneIsAnonymous() throws {
        let directory = try Directory(try configuration())
        #expect(try directory.authenticate(FieldBlock()) == .anonymous)
        #expect(directory.tenantName(.anonymous) == "anonymous")
        #expect(directory.tenant(TenantID(3)) == nil)
    }

    @Test func aWrongKeyIsNoKeyAtAll() throws {
        var configuration = try configuration()
        var tenant = GatewayConfiguration.Tenant(name: "one")
        tenant.apiKeys = [try KeyRingTests.keyDigest(of: "secret")]
        configuration.tenants = [tenant]
        let directory = try Directory(configuration)
        var head = FieldBlock()
        #expect(throws: APIError.missingKey) { try directory.authenticate(head) }
        head.append("authorization", "Bearer wrong")
        #expect(throws: APIError.invalidKey) { try directory.authenticate(head) }
        head.removeAll()
        head.append("authorization", "Bearer secret")
        #expect(try directory.authenticate(head) == TenantID(0))
    }

    @Test func theAdminKeyHasAFieldOfItsOwn() throws {
        var configuration = try configuration()
        configuration.admin.apiKeySHA256 = try KeyRingTests.keyDigest(of: "admin")
        let directory = try Directory(configuration)
        var head = FieldBlock()
        head.append("authorization", "Bearer admin")
        #expect(directory.isAdmin(head) == false)
        head.append("x-joulegate-admin-key", "admin")
        #expect(directory.isAdmin(head) == true)
        #expect(try !Directory(self.configuration()).isAdmin(head))
    }

    @Test func aHostWithoutAnAddressIsRefused() throws {
        var configuration = try configuration()
        configuration.pools[0].endpoints[0].url.host = "no-such-host.invalid"
        #expect(throws: Directory.UnresolvedHost.self) { try Directory(configuration) }
    }
}
