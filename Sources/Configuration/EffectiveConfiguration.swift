import InferenceTypes

/// A small tree that prints as YAML in the order it was built.
indirect enum YAMLValue {
    /// A word or number that needs no quotes.
    case plain(String)
    case text(String)
    case null
    case list([YAMLValue])
    case block([(String, YAMLValue)])

    static func integer(_ value: Int) -> YAMLValue { .plain("\(value)") }

    static func number(_ value: Double) -> YAMLValue {
        value == value.rounded() && abs(value) < 1e15
            ? .plain("\(Int64(value))") : .plain("\(value)")
    }

    static func boolean(_ value: Bool) -> YAMLValue { .plain(value ? "true" : "false") }

    static func milliseconds(_ value: TimeSpan) -> YAMLValue {
        .plain("\(value.nanoseconds / 1_000_000)")
    }

    static func optional<T>(_ value: T?, _ convert: (T) -> YAMLValue) -> YAMLValue {
        value.map(convert) ?? .null
    }

    /// Appends the value as it follows `key:` or `-` at this indentation.
    func write(into output: inout String, indentation: Int, inList: Bool = false) {
        let margin = String(repeating: " ", count: indentation)
        switch self {
        case .plain(let word): output += " \(word)\n"
        case .text(let text): output += " \(Self.quoted(text))\n"
        case .null: output += " null\n"
        case .list(let values):
            guard !values.isEmpty else {
                output += " []\n"
                return
            }
            output += "\n"
            for value in values {
                output += margin + "-"
                value.write(into: &output, indentation: indentation + 2, inList: true)
            }
        case .block(let pairs):
            guard !pairs.isEmpty else {
                output += " {}\n"
                return
            }
            if !inList { output += "\n" }
            for (index, pair) in pairs.enumerated() {
                output += inList && index == 0 ? " " : margin
                output += Self.key(pair.0) + ":"
                pair.1.write(into: &output, indentation: indentation + 2)
            }
        }
    }

    private static func key(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { unit in
            switch unit {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return plain && !text.isEmpty ? text : quoted(text)
    }

    /// Double quotes; `${` doubled its dollar so that the text reads back as it is.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "{" where previous == "$": result += "${"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\x" + (digits.count < 2 ? "0" : "") + digits
                } else if Self.breaksLines(scalar) {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
            previous = scalar
        }
        return result + "\""
    }

    /// What YAML takes for the end of a line, or for no text at all, even between quotes.
    private static func breaksLines(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x80...0x9F, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }
}

extension GatewayConfiguration {
    /// Every key with the value in effect, in documented order. Secrets and digests are cut short,
    /// so the text is for reading: only without them does it load again.
    public func effectiveYAML() -> String {
        let sections: [(String, YAMLValue)] = [
            ("listeners", .list(listeners.map(Self.tree))),
            ("admin", adminTree), ("site", siteTree),
            ("meters", .list(meters.map(Self.tree))),
            ("pools", .list(pools.map(tree))),
            ("models", .list(models.map(Self.tree))),
            ("classes", classesTree),
            ("tenants", .list(tenants.map(tree))),
            ("policy", .plain(policy.rawValue)),
            ("shadow_policy", .optional(shadowPolicy) { .plain($0.rawValue) }),
            ("learning", .block([("enabled", .boolean(learns))])),
            (
                "affinity",
                .block([
                    ("enabled", .boolean(affinity.isOn)),
                    ("memory_ms", .milliseconds(affinity.memory)),
                    ("tokens_per_endpoint", .optional(affinity.tokensPerEndpoint) { .integer($0) }),
                ])
            ),
            (
                "planner",
                .block([
                    ("reserve", .number(planner.reserve)),
                    ("minimum_on_ms", .milliseconds(planner.minimumOn)),
                ])
            ),
            (
                "probes",
                .block([
                    ("interval_ms", .milliseconds(probes.interval)),
                    ("path", .text(probes.path)),
                    ("timeout_ms", .milliseconds(probes.timeout)),
                ])
            ),
            ("scrapes", .block([("interval_ms", .milliseconds(scrapes.interval))])),
            (
                "journal",
                .block([
                    ("path", .optional(journal.path) { .text($0) }),
                    ("max_bytes", .integer(journal.maxBytes)),
                ])
            ),
            ("threads", .integer(threads)),
            ("log_level", .plain(logLevel.rawValue)),
            ("denied_fields", .list(deniedFields.map { .text($0) })),
            ("profiles_directory", .optional(profilesDirectory) { .text($0) }),
            (
                "limits",
                .block(LimitKey.all.map { ($0.name, .integer($0.value(in: limits))) })
            ),
        ]
        var output = ""
        for (key, value) in sections {
            output += key + ":"
            value.write(into: &output, indentation: 2)
        }
        return output
    }

    private static func tree(_ listener: Listener) -> YAMLValue {
        .block([
            ("address", .text(listener.address)), ("port", .integer(listener.port)),
            (
                "tls",
                .optional(listener.tls) {
                    .block([("certificate", .text($0.certificate)), ("key", .text($0.key))])
                }
            ),
        ])
    }

    private var adminTree: YAMLValue {
        .block([
            ("address", .text(admin.address)), ("port", .integer(admin.port)),
            ("api_key_sha256", .optional(admin.apiKeySHA256) { .text($0.shortened) }),
        ])
    }

    private var siteTree: YAMLValue {
        .block([
            ("total_power_limit_watts", .optional(site.totalPowerLimit) { .number($0.value) }),
            ("pue", .number(site.pue)), ("power_share", .number(site.powerShare)),
        ])
    }

    private static func tree(_ meter: Meter) -> YAMLValue {
        let location: (String, YAMLValue) =
            switch meter.location {
            case .url(let url): ("url", .text(url.description))
            case .path(let path): ("path", .text(path))
            }
        return .block([
            ("name", .text(meter.name)), ("source", .plain(meter.source.rawValue)), location,
            ("match", .block(meter.match.map { ($0.label, .text($0.value)) })),
            ("scope", .plain(meter.scope.rawValue)),
            ("provenance", .plain(meter.provenance.rawValue)),
        ])
    }

    private func tree(_ pool: Pool) -> YAMLValue {
        .block([
            ("name", .text(pool.name)), ("engine", .plain(pool.engine.rawValue)),
            ("accelerator", .plain(pool.accelerator.rawValue)),
            ("profile", .text(pool.profile.name)),
            ("power_limit_watts", .optional(pool.powerLimit) { .number($0.value) }),
            ("endpoints", .list(pool.endpoints.map(tree))),
            (
                "models",
                .list(
                    pool.models.map { served in
                        .block([
                            ("name", .text(models[served.model.index].name)),
                            ("upstream", .text(served.upstream)),
                        ])
                    })
            ),
            (
                "tls",
                .block([
                    ("ca_certificate", .optional(pool.tls.caCertificate) { .text($0) }),
                    ("verify", .boolean(pool.tls.verify)),
                ])
            ),
            ("sleep", .block([("enabled", .boolean(pool.sleepIsEnabled))])),
            ("api_key", .optional(pool.apiKey) { _ in .text("...") }),
        ])
    }

    private func tree(_ endpoint: Endpoint) -> YAMLValue {
        .block([
            ("url", .text(endpoint.url.description)),
            ("meters", .list(endpoint.meters.map { .text(meters[$0.index].name) })),
            ("max_in_flight", .optional(endpoint.maxInFlight) { .integer($0) }),
        ])
    }

    private static func tree(_ objective: LatencyObjective) -> YAMLValue {
        .block([
            ("ttft_ms", .optional(objective.timeToFirstToken) { .milliseconds($0) }),
            ("itl_ms", .optional(objective.interTokenLatency) { .milliseconds($0) }),
        ])
    }

    private static func tree(_ model: Model) -> YAMLValue {
        .block([
            ("name", .text(model.name)),
            ("aliases", .list(model.aliases.map { .text($0) })),
            ("task", .plain(model.task.rawValue)),
            ("slo", tree(model.objective)),
            (
                "dynamic_batching",
                .optional(model.batching) { tree($0) }
            ),
            ("classification", tree(model.classification)),
        ])
    }

    private var classesTree: YAMLValue {
        .block(
            ServiceClass.allCases.map {
                ($0.rawValue, .block([("slo", Self.tree(objectives[$0]))]))
            })
    }

    private func tree(_ tenant: Tenant) -> YAMLValue {
        .block([
            ("name", .text(tenant.name)), ("class", .plain(tenant.serviceClass.rawValue)),
            ("weight", .number(tenant.weight)), ("slo", Self.tree(tenant.objective)),
            ("api_key_sha256", .list(tenant.apiKeys.map { .text($0.shortened) })),
            ("pools", .list(tenant.pools.map { .text(pools[$0.index].name) })),
            (
                "models",
                .optional(tenant.models) { list in
                    .list(list.map { .text(models[$0.index].name) })
                }
            ),
            ("allow_remote_media", .boolean(tenant.allowRemoteMedia)),
            ("allow_restricted_fields", .boolean(tenant.allowRestrictedFields)),
        ])
    }
}
