import InferenceTypes

/// One documented key of the configuration file. The reader knows no others; a test holds
/// `docs/configuration.md` to the same list.
public struct ConfigurationKey: Hashable, Sendable {
    /// `[]` stands for any position in a list, as in `pools[].endpoints[].url`.
    public var path: String
    /// What the value is, in words.
    public var type: String
    /// What holds when the key is absent: `required`, `none`, or the value.
    public var `default`: String
    public var meaning: String

    init(_ path: String, _ type: String, _ default: String, _ meaning: String) {
        self.path = path
        self.type = type
        self.default = `default`
        self.meaning = meaning
    }

    /// Every key of the configuration file, in the order of the documentation.
    public static let all: [ConfigurationKey] =
        serving + energy + poolKeys + modelKeys + classKeys + tenantKeys + operation
        + LimitKey.all.map { key in
            ConfigurationKey(
                "limits.\(key.name)", key.field.typeName, "\(key.defaultValue)", key.meaning)
        }

    private static let serving = [
        ConfigurationKey(
            "listeners[].address", "address", "127.0.0.1", "local address to listen on"),
        ConfigurationKey(
            "listeners[].port", "port, 0 for any", "required", "local port to listen on"),
        ConfigurationKey(
            "listeners[].tls.certificate", "file", "required with tls",
            "PEM chain; without the tls block the listener speaks cleartext"),
        ConfigurationKey(
            "listeners[].tls.key", "file", "required with tls", "PEM private key"),
        ConfigurationKey(
            "admin.address", "address", "127.0.0.1",
            "where /metrics, /workers and the ops page are served"),
        ConfigurationKey("admin.port", "port, 0 for any", "29000", "the admin listener's port"),
        ConfigurationKey(
            "admin.api_key_sha256", "64 hex digits", "none",
            "SHA-256 of the key that admin requests must bear"),
    ]

    private static let energy = [
        ConfigurationKey(
            "site.total_power_limit_watts", "watts", "none",
            "cap on the predicted power of all pools together"),
        ConfigurationKey(
            "site.pue", "number, at least 1", "1",
            "power usage effectiveness, multiplies watts into building watts"),
        ConfigurationKey(
            "site.power_share", "number, 0 to 1", "1",
            "part of the power above idle that this gateway may place where several share pools"),
        ConfigurationKey("meters[].name", "name", "required", "how endpoints refer to it"),
        ConfigurationKey(
            "meters[].source", words(MeterSource.self), "required",
            "what kind of page or file the readings come from"),
        ConfigurationKey(
            "meters[].url", "http(s) address", "required for exporters", "the exporter's page"),
        ConfigurationKey(
            "meters[].path", "file or folder", "required for hwmon and powercap",
            "the sensor in sysfs"),
        ConfigurationKey(
            "meters[].match", "map of label to value", "{}",
            "labels that samples must carry to belong to this meter"),
        ConfigurationKey(
            "meters[].scope", words(Profile.MeterScope.self), "by source",
            "what the meter sees; unlike scopes are never added"),
        .init(
            "meters[].provenance", words(Provenance.self), "measured",
            "what may be said of its watts: an emulated exporter only models them"),
    ]

    private static let poolKeys = [
        ConfigurationKey("pools[].name", "name", "required", "how tenants refer to it"),
        ConfigurationKey(
            "pools[].engine", words(EngineKind.self), "required",
            "dialect and batching rules of the model servers"),
        ConfigurationKey(
            "pools[].accelerator", words(AcceleratorKind.self), "by engine",
            "what the model servers compute on"),
        ConfigurationKey(
            "pools[].profile", "profile name or file", "required",
            "energy and latency curve that predictions start from"),
        ConfigurationKey(
            "pools[].power_limit_watts", "watts", "none",
            "cap on the predicted power of its endpoints together"),
        ConfigurationKey(
            "pools[].endpoints[].url", "http(s) address", "required",
            "scheme, host and port of one model server"),
        ConfigurationKey(
            "pools[].endpoints[].meters", "list of meter names", "[]",
            "every meter that sees part of its power"),
        ConfigurationKey(
            "pools[].endpoints[].max_in_flight", "count", "none",
            "most requests sent to it at once; none: the profile's max_batch"),
        ConfigurationKey("pools[].models[].name", "model name", "required", "a model it serves"),
        ConfigurationKey(
            "pools[].models[].upstream", "text", "the model's name",
            "what the model servers call it"),
        ConfigurationKey(
            "pools[].tls.ca_certificate", "file", "none",
            "PEM authority for https endpoints; none: the system's"),
        ConfigurationKey(
            "pools[].tls.verify", "true or false", "true",
            "check the certificates of https endpoints"),
        ConfigurationKey(
            "pools[].sleep.enabled", "true or false", "false",
            "put vLLM servers to sleep when the load does not need them; they need "
                + "`--enable-sleep-mode` and `VLLM_SERVER_DEV_MODE=1`"),
        ConfigurationKey(
            "pools[].api_key", "text", "none",
            "bearer token sent upstream; write ${NAME} and keep it in the environment"),
    ]

    private static let modelKeys = [
        ConfigurationKey("models[].name", "name", "required", "the name clients ask for"),
        ConfigurationKey("models[].aliases", "list of names", "[]", "other names for it"),
        ConfigurationKey(
            "models[].task", words(InferenceTask.self), "chat",
            "what it does; chat stands for every task that generates"),
        ConfigurationKey(
            "models[].slo.ttft_ms", "milliseconds", "none",
            "promised time to first token, before the class's"),
        ConfigurationKey(
            "models[].slo.itl_ms", "milliseconds", "none",
            "promised mean gap between tokens, before the class's"),
        ConfigurationKey(
            "models[].dynamic_batching.max_batch_size", "count", "64",
            "requests in one upstream batch"),
        ConfigurationKey(
            "models[].dynamic_batching.preferred_batch_size", "list of counts", "[]",
            "sizes at which a batch closes early; none: the profile's buckets"),
        ConfigurationKey(
            "models[].dynamic_batching.max_queue_delay_microseconds", "microseconds", "2000",
            "longest wait for company"),
        ConfigurationKey(
            "models[].dynamic_batching.preserve_ordering", "true or false", "false",
            "answer in order of arrival"),
    ]
    + classificationKeys

    private static let classKeys = ServiceClass.allCases.flatMap { serviceClass in
        [
            ConfigurationKey(
                "classes.\(serviceClass.rawValue).slo.ttft_ms", "milliseconds", "none",
                "promised time to first token"),
            ConfigurationKey(
                "classes.\(serviceClass.rawValue).slo.itl_ms", "milliseconds", "none",
                "promised mean gap between tokens"),
        ]
    }

    private static let tenantKeys = [
        ConfigurationKey("tenants[].name", "name", "required", "how pages and ledgers name it"),
        ConfigurationKey(
            "tenants[].class", words(ServiceClass.self), "default", "urgency of its requests"),
        ConfigurationKey(
            "tenants[].weight", "number, above 0", "1",
            "share of the engine time that its class gets while others of the class wait"),
        ConfigurationKey(
            "tenants[].slo.ttft_ms", "milliseconds", "none",
            "promised time to first token, before the model's and the class's"),
        ConfigurationKey(
            "tenants[].slo.itl_ms", "milliseconds", "none",
            "promised mean gap between tokens, before the model's and the class's"),
        ConfigurationKey(
            "tenants[].api_key_sha256", "list of 64 hex digits", "[]",
            "SHA-256 of each live key; two while keys rotate"),
        ConfigurationKey(
            "tenants[].pools", "list of pool names", "required",
            "pools that may see its prompts"),
        ConfigurationKey(
            "tenants[].models", "list of model names", "all", "models it may ask for"),
        ConfigurationKey(
            "tenants[].allow_remote_media", "true or false", "false",
            "may image and file parts name a remote address"),
        ConfigurationKey(
            "tenants[].allow_restricted_fields", "true or false", "false",
            "may bodies hold the members of denied_fields"),
    ]

    private static let operation = [
        ConfigurationKey(
            "policy", words(RoutingPolicy.self), "energy_aware",
            "how an endpoint is picked; hyphens may stand for underscores"),
        ConfigurationKey(
            "shadow_policy", words(RoutingPolicy.self), "none",
            "decides beside policy without effect, for comparison"),
        ConfigurationKey(
            "learning.enabled", "true or false", "true",
            "do meters and our own streams correct the profiles"),
        ConfigurationKey(
            "affinity.enabled", "true or false", "true",
            "are prompts hashed, to know which endpoint has their beginning in its cache"),
        ConfigurationKey(
            "affinity.memory_ms", "milliseconds", "600000",
            "how long an endpoint is taken to hold what it was not asked for again"),
        ConfigurationKey(
            "affinity.tokens_per_endpoint", "count", "2048 x max_batch",
            "tokens of earlier prompts and answers that an endpoint's cache keeps"),
        ConfigurationKey(
            "planner.reserve", "1 to 10", "2",
            "how many times the expected load what is awake can carry, for crowds"),
        ConfigurationKey(
            "planner.minimum_on_ms", "milliseconds", "30000",
            "an endpoint that was woken stays awake so long"),
        ConfigurationKey("probes.interval_ms", "milliseconds", "5000", "between two probes"),
        ConfigurationKey("probes.path", "path", "/health", "what is asked for"),
        ConfigurationKey(
            "probes.timeout_ms", "milliseconds", "1000", "a slower answer counts as none"),
        ConfigurationKey(
            "scrapes.interval_ms", "milliseconds", "1000",
            "between two readings of engine and exporter pages"),
        ConfigurationKey(
            "journal.path", "file", "none",
            "where scheduler events are taken down for `simulate --replay`"),
        ConfigurationKey(
            "journal.max_bytes", "count", "1073741824", "size at which the journal ends"),
        ConfigurationKey("threads", "count", "0", "reactor threads; 0: one per core"),
        ConfigurationKey("log_level", words(LogLevel.self), "info", "least level logged"),
        ConfigurationKey(
            "denied_fields", "list of member names",
            "[chat_template, kv_transfer_params, vllm_xargs]",
            "body members refused from tenants without allow_restricted_fields"),
        ConfigurationKey(
            "profiles_directory", "folder", "profiles",
            "where profiles are looked for first; relative to this file"),
    ]

    private static func words<T: RawRepresentable & CaseIterable>(_: T.Type) -> String
    where T.RawValue == String {
        T.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
