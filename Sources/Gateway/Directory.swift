import Configuration
import InferenceAPI
import InferenceTypes
import Transport
import WireProtocols

/// Who and what the configuration names, in the form that the data path looks things up in. One
/// immutable value, shared by all reactors, replaced as a whole.
final class Directory: Sendable {
    /// An object: the data path looks at one several times a request, and a copy of its eight
    /// references is none of a reference.
    final class Endpoint: Sendable {
        let id: EndpointID
        let pool: PoolID
        let address: SocketAddress
        let hostname: String
        let tls: TLSContext?
        /// `host` field and path prefix for request heads.
        let authority: String
        let pathPrefix: String
        let apiKey: String?
        /// By the task's ordinal; see ``UpstreamHead/start(_:pathPrefix:authority:apiKey:)``.
        let headStarts: [[UInt8]]
        /// What metrics and the admin surface call it.
        let name: String

        init(
            id: EndpointID, pool: GatewayConfiguration.Pool, _ poolID: PoolID,
            address: SocketAddress, url: ServiceURL, tls: TLSContext?
        ) {
            self.id = id
            self.pool = poolID
            self.address = address
            hostname = url.host
            self.tls = url.scheme == .https ? tls : nil
            authority = url.authority
            let prefix = url.path.hasSuffix("/") ? String(url.path.dropLast()) : url.path
            pathPrefix = prefix
            apiKey = pool.apiKey
            headStarts = InferenceTask.allCases.map {
                UpstreamHead.start(
                    $0, pathPrefix: prefix, authority: url.authority, apiKey: pool.apiKey)
            }
            name = url.authority
        }
    }

    struct UnresolvedHost: Error, CustomStringConvertible {
        let url: ServiceURL
        var description: String { "\(url): the host name has no address" }
    }

    let configuration: GatewayConfiguration
    let endpoints: [Endpoint]
    /// What stands in for a model that the client left out, where there is but one.
    let defaultModel: String?
    private let modelsByName: [String: ModelID]
    /// The same, where there are so few that a look at each is cheaper than a hash.
    private let fewModels: [(name: String, id: ModelID)]
    private let poolsByModel: [[PoolID]]
    /// By model: more than one endpoint serves it, so that it matters who has what in its cache.
    private let hasChoice: [Bool]
    private let engines: [EngineKind]
    /// By pool, then by model.
    private let upstreamNames: [[String]]
    /// By ``ModelID``: models whose messages are batched.
    let lines: [ClassifierLine?]
    private let keys: KeyRing
    private let adminKey: SHA256Digest?

    /// Resolves host names, so it blocks: for the control thread and the start.
    init(_ configuration: GatewayConfiguration, reactors: Int = 1) throws {
        self.configuration = configuration
        var endpoints: [Endpoint] = []
        for pool in configuration.pools.indices {
            endpoints += try Directory.endpoints(
                of: configuration.pools[pool], PoolID(pool), from: endpoints.count)
        }
        self.endpoints = endpoints
        var names: [String: ModelID] = [:]
        for (index, model) in configuration.models.enumerated() {
            for name in [model.name] + model.aliases where names[name] == nil {
                names[name] = ModelID(index)
            }
        }
        modelsByName = names
        fewModels = names.count <= 8 ? names.map { ($0.key, $0.value) } : []
        poolsByModel = configuration.models.indices.map { model in
            configuration.pools.indices.map { PoolID($0) }.filter {
                configuration.pools[$0.index].upstreamName(of: ModelID(model)) != nil
            }
        }
        hasChoice = poolsByModel.map { pools in
            configuration.affinity.isOn
                && pools.reduce(0) { $0 + configuration.pools[$1.index].endpoints.count } > 1
        }
        defaultModel = configuration.models.count == 1 ? configuration.models[0].name : nil
        engines = configuration.pools.map(\.engine)
        upstreamNames = configuration.pools.map { pool in
            configuration.models.enumerated().map { index, model in
                pool.upstreamName(of: ModelID(index)) ?? model.name
            }
        }
        lines = configuration.models.indices.map {
            ClassifierLine(ModelID($0), in: configuration, reactors: reactors)
        }
        keys = KeyRing(tenants: configuration.tenants)
        adminKey = configuration.admin.apiKeySHA256.flatMap { SHA256Digest(bytes: $0.bytes) }
    }

    private static func endpoints(
        of pool: GatewayConfiguration.Pool, _ id: PoolID, from first: Int
    ) throws -> [Endpoint] {
        var tls: TLSContext?
        if pool.endpoints.contains(where: { $0.url.scheme == .https }) {
            tls = try TLSContext.client(caPath: pool.tls.caCertificate, verify: pool.tls.verify)
        }
        return try pool.endpoints.enumerated().map { offset, endpoint in
            let url = endpoint.url
            let port = UInt16(clamping: url.port)
            guard let address = SocketAddress.resolve(host: url.host, port: port).first else {
                throw UnresolvedHost(url: url)
            }
            return Endpoint(
                id: EndpointID(first + offset), pool: pool, id, address: address, url: url,
                tls: tls)
        }
    }

    func model(named name: String) -> ModelID? {
        if fewModels.isEmpty { return modelsByName[name] }
        for place in fewModels.indices where fewModels[place].name == name {
            return fewModels[place].id
        }
        return nil
    }

    /// True if it is worth to look at what its prompts begin with.
    func hasChoice(of model: ModelID) -> Bool { hasChoice[model.index] }

    /// How a model's messages are batched; `nil` if they are not.
    func line(of model: ModelID) -> ClassifierLine? {
        lines.indices.contains(model.index) ? lines[model.index] : nil
    }

    func modelName(_ id: ModelID) -> String { configuration.models[id.index].name }

    func pool(_ id: PoolID) -> GatewayConfiguration.Pool { configuration.pools[id.index] }

    // Two looks into a pool without a copy of it: both are taken for every request.
    func engine(of pool: PoolID) -> EngineKind { engines[pool.index] }

    /// What the pool's model servers call the model.
    func upstreamName(of model: ModelID, in pool: PoolID) -> String {
        upstreamNames[pool.index][model.index]
    }

    /// The tenant whose key the `authorization` field holds.
    func authenticate(_ head: borrowing FieldBlock) throws(APIError) -> TenantID {
        if configuration.tenants.isEmpty { return .anonymous }
        guard let digest = KeyRing.digest(in: head, field: "authorization") else {
            throw .missingKey
        }
        guard let tenant = keys.tenant(of: digest) else { throw .invalidKey }
        return tenant
    }

    /// True if the request carries the admin key and may see why it was placed where it was.
    func isAdmin(_ head: borrowing FieldBlock) -> Bool {
        guard let adminKey, head.contains("x-joulegate-admin-key"),
            let digest = KeyRing.digest(in: head, field: "x-joulegate-admin-key")
        else { return false }
        return digest.isEqual(to: adminKey)
    }

    func tenant(_ id: TenantID) -> GatewayConfiguration.Tenant? {
        configuration.tenants.indices.contains(id.index)
            ? configuration.tenants[id.index] : nil
    }

    // What every request asks of its tenant, without a copy of the tenant's lists.
    func serviceClass(of id: TenantID) -> ServiceClass {
        configuration.tenants.indices.contains(id.index)
            ? configuration.tenants[id.index].serviceClass : .default
    }

    func tenantName(_ id: TenantID) -> String { tenant(id)?.name ?? "anonymous" }

    /// True if a pool serves the model that may see this tenant's prompts and `isWanted`. To a
    /// tenant without any the model does not exist.
    func serves(
        _ model: ModelID, to tenant: TenantID, by isWanted: (PoolID) -> Bool = { _ in true }
    ) -> Bool {
        // Nobody's own: all of them.
        if configuration.tenants.isEmpty {
            return poolsByModel[model.index].contains(where: isWanted)
        }
        let own = self.tenant(tenant)
        guard own?.models?.contains(model) ?? true else { return false }
        return poolsByModel[model.index].contains { pool in
            isWanted(pool) && own?.pools.contains(pool) ?? true
        }
    }

    /// The latency promise to a request: the tenant's own, else the model's, else its class's.
    func objective(
        _ model: ModelID, _ serviceClass: ServiceClass, _ tenant: TenantID
    ) -> LatencyObjective {
        let personal =
            configuration.tenants.indices.contains(tenant.index)
            ? configuration.tenants[tenant.index].objective : LatencyObjective()
        let own = configuration.models[model.index].objective
        let shared = configuration.objectives[serviceClass]
        return LatencyObjective(
            timeToFirstToken: personal.timeToFirstToken ?? own.timeToFirstToken
                ?? shared.timeToFirstToken,
            interTokenLatency: personal.interTokenLatency ?? own.interTokenLatency
                ?? shared.interTokenLatency)
    }
}
