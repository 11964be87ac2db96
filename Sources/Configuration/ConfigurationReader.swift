import InferenceTypes

/// Reads the tree block by block into a ``GatewayConfiguration``. Lists are read in the order
/// meters, models, pools, tenants: each may name what came before.
struct ConfigurationReader {
    let reading: Reading
    let profiles: any ProfileSource
    private let root: BlockReader
    var configuration = GatewayConfiguration()
    /// Every name of a list with its position, even of entries that turned out wrong: one
    /// mistake is reported once, not at each reference.
    var meterNames: [String] = []
    var modelNames: [String] = []
    var poolNames: [String] = []
    /// Where each model was defined, for warnings about models that no pool serves.
    private var modelPlaces: [Located<String>] = []

    init(root: BlockReader, profiles: any ProfileSource) {
        self.root = root
        self.reading = root.reading
        self.profiles = profiles
    }

    mutating func read() {
        readListeners()
        readAdmin()
        readSite()
        readMeters()
        readModels()
        readPools()
        readClasses()
        readTenants()
        readOperation()
        readLimits()
        warnOfUnservedModels()
    }

    // MARK: Serving

    private mutating func readListeners() {
        guard let blocks = root.blocks("listeners") else { return }
        if blocks.isEmpty { reading.error("at least one listener is needed", at: root.place) }
        var taken: Set<String> = []
        configuration.listeners = blocks.map { block in
            var listener = GatewayConfiguration.Listener()
            listener.address = block.string("address")?.value ?? listener.address
            let portText = block.required("port")
            if portText != nil {
                listener.port = block.integer("port", in: 0...65_535) ?? listener.port
            }
            let tls = block.block("tls")
            if tls.exists, let certificate = tls.required("certificate"),
                let key = tls.required("key")
            {
                listener.tls = GatewayConfiguration.ServerTLS(
                    certificate: certificate.value, key: key.value)
            }
            let address = "\(listener.address):\(listener.port)"
            if listener.port != 0, !taken.insert(address).inserted, let portText {
                reading.error("\(address) is listened on twice", at: portText)
            }
            return listener
        }
    }

    private mutating func readAdmin() {
        let block = root.block("admin")
        let address = block.string("address")
        configuration.admin.address = address?.value ?? configuration.admin.address
        configuration.admin.port =
            block.integer("port", in: 0...65_535) ?? configuration.admin.port
        configuration.admin.apiKeySHA256 = block.string("api_key_sha256").flatMap(digest)
        if let address, !block.has("api_key_sha256"), !ServiceURL.isLoopback(address.value) {
            reading.warning(
                "the admin listener is reachable from other machines without a key", at: address)
        }
    }

    private mutating func readSite() {
        let block = root.block("site")
        configuration.site.totalPowerLimit =
            block.number("total_power_limit_watts", in: 1...1e9).map { Watts($0) }
        configuration.site.pue = block.number("pue", in: 1...10) ?? configuration.site.pue
        configuration.site.powerShare =
            block.number("power_share", in: 0...1) ?? configuration.site.powerShare
    }

    // MARK: Models and classes

    private mutating func readModels() {
        var taken: Set<String> = []
        for block in root.blocks("models") ?? [] {
            guard let name = block.required("name") else { continue }
            let aliases = block.strings("aliases") ?? []
            for spoken in [name] + aliases where !taken.insert(spoken.value).inserted {
                reading.error("\(reading.quoted(spoken.value)) already names a model", at: spoken)
            }
            var model = GatewayConfiguration.Model(name: name.value)
            model.aliases = aliases.map(\.value)
            model.task = block.choice("task") ?? model.task
            model.objective = objective(of: block)
            model.batching = batching(of: block.block("dynamic_batching"))
            model.classification = classification(of: block.block("classification"))
            warnOfIdleClassification(model, block.block("classification"))
            modelNames.append(name.value)
            modelPlaces.append(name)
            configuration.models.append(model)
        }
    }

    private mutating func readClasses() {
        let classes = root.block("classes")
        for serviceClass in ServiceClass.allCases {
            configuration.objectives[serviceClass] =
                objective(of: classes.block(serviceClass.rawValue))
        }
    }

    func objective(of block: BlockReader) -> LatencyObjective {
        let slo = block.block("slo")
        return LatencyObjective(
            timeToFirstToken: slo.milliseconds("ttft_ms"),
            interTokenLatency: slo.milliseconds("itl_ms"))
    }

    /// A pool may name models that `models` does not list only if there is no such list.
    mutating func model(named name: Located<String>) -> ModelID? {
        if let index = modelNames.firstIndex(of: name.value) { return ModelID(index) }
        guard !root.has("models") else {
            unknown("model", name, among: modelNames)
            return nil
        }
        configuration.models.append(GatewayConfiguration.Model(name: name.value))
        modelNames.append(name.value)
        modelPlaces.append(name)
        return ModelID(modelNames.count - 1)
    }

    private func warnOfUnservedModels() {
        for (index, place) in modelPlaces.enumerated() {
            let served = configuration.pools.contains { pool in
                pool.upstreamName(of: ModelID(index)) != nil
            }
            if !served {
                reading.warning("no pool serves model \(reading.quoted(place.value))", at: place)
            }
        }
    }

    // MARK: Operation

    private mutating func readOperation() {
        configuration.policy = policy("policy") ?? configuration.policy
        configuration.shadowPolicy = policy("shadow_policy")
        configuration.learns = root.block("learning").boolean("enabled") ?? true
        readAffinity(root.block("affinity"))
        let planner = root.block("planner")
        configuration.planner.reserve =
            planner.number("reserve", in: 1...10) ?? configuration.planner.reserve
        configuration.planner.minimumOn =
            planner.milliseconds("minimum_on_ms") ?? configuration.planner.minimumOn
        let probes = root.block("probes")
        configuration.probes.interval =
            probes.milliseconds("interval_ms") ?? configuration.probes.interval
        configuration.probes.timeout =
            probes.milliseconds("timeout_ms") ?? configuration.probes.timeout
        if let path = probes.string("path") {
            configuration.probes.path = path.value
            if !path.value.hasPrefix("/") { reading.error("a path starts with '/'", at: path) }
        }
        let scrapes = root.block("scrapes")
        configuration.scrapes.interval =
            scrapes.milliseconds("interval_ms") ?? configuration.scrapes.interval
        let journal = root.block("journal")
        configuration.journal.path = journal.string("path")?.value
        configuration.journal.maxBytes =
            journal.integer("max_bytes", in: 65_536...(1 << 50)) ?? configuration.journal.maxBytes
        configuration.threads = root.integer("threads", in: 0...256) ?? 0
        configuration.logLevel = root.choice("log_level") ?? configuration.logLevel
        if let fields = root.strings("denied_fields") {
            configuration.deniedFields = fields.map(\.value)
        }
        configuration.profilesDirectory = root.string("profiles_directory")?.value
    }

    private mutating func readAffinity(_ block: BlockReader) {
        var affinity = GatewayConfiguration.Affinity()
        affinity.isOn = block.boolean("enabled") ?? affinity.isOn
        affinity.memory = block.milliseconds("memory_ms") ?? affinity.memory
        affinity.tokensPerEndpoint =
            block.integer("tokens_per_endpoint", in: 1...(1 << 40))
        configuration.affinity = affinity
    }

    private func policy(_ key: String) -> RoutingPolicy? {
        guard let found = root.string(key) else { return nil }
        if let policy = RoutingPolicy(name: found.value) { return policy }
        return root.choice(key)
    }

    private mutating func readLimits() {
        let block = root.block("limits")
        for key in LimitKey.all {
            switch key.field {
            case .count(let path):
                if let value = block.integer(key.name, in: key.least...key.most) {
                    configuration.limits[keyPath: path] = value
                }
            case .span(let path):
                if let value = block.milliseconds(key.name) {
                    configuration.limits[keyPath: path] = value
                }
            }
        }
    }

    // MARK: Helpers

    /// The blocks of a list of the root, for the other files of this reader.
    func rootBlocks(_ key: String) -> [BlockReader] { root.blocks(key) ?? [] }

    func rootIsEmptyList(_ key: String) -> Bool { root.isEmptyList(key) }

    /// Reports `name` as unknown, with the nearest of `names`.
    func unknown(_ noun: String, _ name: Located<String>, among names: [String]) {
        let shown = names.filter { !reading.isInterpolated($0) }
        let hint = EditDistance.nearest(to: name.value, among: shown)
            .map { "; did you mean '\($0)'?" } ?? ""
        reading.error("there is no \(noun) \(reading.quoted(name.value))\(hint)", at: name)
    }

    /// The message never repeats the text: it may be a key put there by mistake.
    func digest(_ text: Located<String>) -> KeyDigest? {
        if let digest = KeyDigest(hexadecimal: text.value) { return digest }
        reading.error(
            "expected the SHA-256 of a key as 64 hexadecimal digits, found "
                + "\(text.value.count) characters", at: text)
        return nil
    }
}
