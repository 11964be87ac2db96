import InferenceTypes

extension ConfigurationReader {
    mutating func readMeters() {
        for block in rootBlocks("meters") {
            guard let name = block.required("name") else { continue }
            if meterNames.contains(name.value) {
                reading.error("\(reading.quoted(name.value)) already names a meter", at: name)
            }
            meterNames.append(name.value)
            let source: MeterSource = block.requiredChoice("source") ?? .kepler
            let location = location(of: block, for: source)
            let match = block.pairs("match").map {
                GatewayConfiguration.Meter.Match(label: $0.key, value: $0.value)
            }
            configuration.meters.append(
                GatewayConfiguration.Meter(
                    name: name.value, source: source, location: location ?? .path(""),
                    match: match, scope: block.choice("scope") ?? source.defaultScope,
                    provenance: block.choice("provenance") ?? .measured))
        }
    }

    /// An exporter has a `url`, a kernel sensor a `path`; the other key is refused.
    private func location(
        of block: BlockReader, for source: MeterSource
    ) -> GatewayConfiguration.Meter.Location? {
        let wanted = source.isExporter ? "url" : "path"
        let other = source.isExporter ? "path" : "url"
        if let surplus = block.string(other) {
            reading.error("a \(source.rawValue) meter has a \(wanted), no \(other)", at: surplus)
        }
        guard let text = block.required(wanted) else { return nil }
        return source.isExporter ? url(text).map { .url($0) } : .path(text.value)
    }

    mutating func readPools() {
        var addresses: Set<String> = []
        for block in rootBlocks("pools") {
            guard let name = block.required("name") else { continue }
            if poolNames.contains(name.value) {
                reading.error("\(reading.quoted(name.value)) already names a pool", at: name)
            }
            poolNames.append(name.value)
            let engine: EngineKind = block.requiredChoice("engine") ?? .vllm
            let profile = block.required("profile").flatMap(profile)
            var pool = GatewayConfiguration.Pool(
                name: name.value, engine: engine, accelerator: block.choice("accelerator"),
                profile: profile ?? .unread, endpoints: [], models: [])
            pool.powerLimit = block.number("power_limit_watts", in: 1...1e9).map { Watts($0) }
            pool.endpoints = endpoints(of: block, addresses: &addresses)
            pool.models = servedModels(of: block)
            readSleep(of: block, into: &pool)
            let apiKey = block.string("api_key")?.value ?? ""
            pool.apiKey = apiKey.isEmpty ? nil : apiKey
            readTLS(of: block, into: &pool)
            configuration.pools.append(pool)
        }
        if rootIsEmptyList("pools") {
            reading.report(
                ConfigurationIssue(
                    line: 1, column: 1, keyPath: "pools", message: "at least one pool is needed"))
        }
    }

    private func endpoints(
        of block: BlockReader, addresses: inout Set<String>
    ) -> [GatewayConfiguration.Endpoint] {
        var endpoints: [GatewayConfiguration.Endpoint] = []
        let blocks = block.blocks("endpoints") ?? []
        if block.isEmptyList("endpoints") {
            reading.error("a pool needs at least one endpoint", at: block.place)
        }
        for block in blocks {
            let meters = (block.strings("meters") ?? []).compactMap { name in
                reference(name, "meter", among: meterNames).map { MeterID($0) }
            }
            refuseOverlap(of: meters, at: block)
            let maxInFlight = block.integer("max_in_flight", in: 1...1_000_000)
            guard let text = block.required("url"), let url = url(text) else { continue }
            if url.path != "/" {
                let path = reading.isInterpolated(text.value) ? "" : ": '\(url.path)'"
                reading.error("an endpoint's address has no path\(path)", at: text)
            }
            if !addresses.insert(url.authority).inserted {
                let isShown = !reading.isInterpolated(text.value)
                reading.error(
                    "\(isShown ? url.authority : "this address") is already an endpoint", at: text)
            }
            if configuration.listeners.contains(where: { $0.isReached(by: url) }) {
                reading.error(
                    "this gateway itself listens there: requests would go round in circles",
                    at: text)
            }
            endpoints.append(
                GatewayConfiguration.Endpoint(url: url, meters: meters, maxInFlight: maxInFlight))
        }
        return endpoints
    }

    /// What two meters of one endpoint both see would be counted twice.
    private func refuseOverlap(of meters: [MeterID], at block: BlockReader) {
        for (index, first) in meters.enumerated() {
            for second in meters[(index + 1)...] {
                guard let one = known(first), let other = known(second) else { continue }
                if first == second {
                    reading.error("the meter \(one.name) is named twice", at: block.place)
                } else if one.scope.holds(other.scope) || other.scope.holds(one.scope) {
                    reading.error(
                        "\(one.name) (\(one.scope.rawValue)) and \(other.name) "
                            + "(\(other.scope.rawValue)) see the same watts", at: block.place)
                }
            }
        }
    }

    private func known(_ id: MeterID) -> GatewayConfiguration.Meter? {
        configuration.meters.indices.contains(id.index) ? configuration.meters[id.index] : nil
    }

    private mutating func servedModels(
        of block: BlockReader
    ) -> [GatewayConfiguration.Pool.ServedModel] {
        var served: [GatewayConfiguration.Pool.ServedModel] = []
        let blocks = block.blocks("models") ?? []
        if block.isEmptyList("models") {
            reading.warning("this pool serves no model", at: block.place)
        }
        for block in blocks {
            let upstream = block.string("upstream")?.value
            guard let name = block.required("name"), let model = model(named: name) else {
                continue
            }
            if served.contains(where: { $0.model == model }) {
                reading.error(
                    "\(reading.quoted(name.value)) is already served by this pool", at: name)
            }
            served.append(.init(model: model, upstream: upstream ?? name.value))
        }
        return served
    }

    private func readSleep(of block: BlockReader, into pool: inout GatewayConfiguration.Pool) {
        let sleep = block.block("sleep")
        pool.sleepIsEnabled = sleep.boolean("enabled") ?? false
        if pool.sleepIsEnabled, pool.engine != .vllm {
            reading.error("only vllm servers can be put to sleep", at: sleep.place)
            pool.sleepIsEnabled = false
        }
    }

    private func readTLS(of block: BlockReader, into pool: inout GatewayConfiguration.Pool) {
        let tls = block.block("tls")
        pool.tls.caCertificate = tls.string("ca_certificate")?.value
        pool.tls.verify = tls.boolean("verify") ?? pool.tls.verify
        let encrypted = pool.endpoints.contains { $0.url.scheme == .https }
        if tls.exists, !encrypted {
            reading.warning("none of this pool's endpoints is https", at: tls.place)
        }
        if !pool.tls.verify {
            reading.warning("certificates of this pool's endpoints go unchecked", at: tls.place)
        }
    }

    mutating func readTenants() {
        var names: Set<String> = []
        var digests: Set<KeyDigest> = []
        for block in rootBlocks("tenants") {
            guard let name = block.required("name") else { continue }
            if !names.insert(name.value).inserted {
                reading.error("\(reading.quoted(name.value)) already names a tenant", at: name)
            }
            var tenant = GatewayConfiguration.Tenant(name: name.value)
            tenant.serviceClass = block.choice("class") ?? tenant.serviceClass
            tenant.weight = block.number("weight", in: 0.001...1_000_000) ?? tenant.weight
            tenant.objective = objective(of: block)
            for text in block.strings("api_key_sha256") ?? [] {
                guard let digest = digest(text) else { continue }
                if !digests.insert(digest).inserted {
                    reading.error("this key already belongs to a tenant", at: text)
                }
                tenant.apiKeys.append(digest)
            }
            if !block.has("api_key_sha256") {
                reading.warning("this tenant has no key, so nobody can be it", at: name)
            }
            let pools = block.strings("pools")
            if pools?.isEmpty ?? true {
                reading.error("a tenant needs the pools that may see its prompts", at: name)
            }
            tenant.pools = (pools ?? []).compactMap { pool in
                reference(pool, "pool", among: poolNames).map { PoolID($0) }
            }
            tenant.models = block.strings("models")?.compactMap { model in
                reference(model, "model", among: modelNames).map { ModelID($0) }
            }
            tenant.allowRemoteMedia = block.boolean("allow_remote_media") ?? false
            tenant.allowRestrictedFields = block.boolean("allow_restricted_fields") ?? false
            configuration.tenants.append(tenant)
        }
    }

    // MARK: References

    private func reference(
        _ name: Located<String>, _ noun: String, among names: [String]
    ) -> Int? {
        if let index = names.firstIndex(of: name.value) { return index }
        unknown(noun, name, among: names)
        return nil
    }

    private func url(_ text: Located<String>) -> ServiceURL? {
        do {
            return try ServiceURL(text.value)
        } catch {
            // An address may hold a password, and the mistake is shown with a part of it.
            let isShown = !reading.isInterpolated(text.value)
            reading.error(
                isShown ? error.message : "a value from the environment is no address", at: text)
            return nil
        }
    }

    /// A profile's own issues stand beside the configuration's, with the profile's file name.
    private func profile(_ name: Located<String>) -> Profile? {
        do {
            return try profiles.profile(named: name.value)
        } catch {
            let placed = error.issues.filter { $0.line > 0 }
            let reasons = error.issues.filter { $0.line == 0 }.map(\.message)
            let isShown = !reading.isInterpolated(name.value)
            let reason = (isShown ? reasons.first : nil) ?? "\(placed.count) mistakes in it"
            reading.error(
                "profile \(reading.quoted(name.value)) cannot be used: \(reason)", at: name)
            placed.forEach(reading.report)
            return nil
        }
    }
}

extension Profile {
    /// Stands in for a profile that could not be read; an error has been reported, so that no
    /// configuration with it leaves the reader.
    static var unread: Profile {
        Profile(
            name: "", model: "", accelerator: "", provenance: .assumed, idlePower: .zero,
            sleepPower: .zero, wakeTime: .zero, wakeEnergy: .zero, maxBatch: 1,
            prefillTokensPerSecond: 0, prefillPower: .zero, weightsGigabytes: 0,
            kvKilobytesPerToken: 0, meterScope: .accelerator, decodeBuckets: [], knots: [])
    }
}
