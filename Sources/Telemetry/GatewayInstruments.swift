import InferenceTypes

/// The gateway's own families. Positions of pools, models and tenants come from ``pools``,
/// ``models`` and ``tenants`` on the control thread; reactors keep them beside the IDs, for an ID
/// may mean another name after a reload. docs/metrics.md says what to do about each.
public struct GatewayInstruments: Sendable {
    /// Names known at start.
    public struct Names: Sendable {
        public var pools: [String]
        public var models: [String]
        public var tenants: [String]

        public init(pools: [String], models: [String], tenants: [String]) {
            self.pools = pools
            self.models = models
            self.tenants = tenants
        }
    }

    /// Distinct values that a label keeps at most; later ones are `other`.
    public static let maxPools = 64
    public static let maxModels = 32
    public static let maxTenants = 64

    public let pools: LabelValues
    public let models: LabelValues
    public let tenants: LabelValues

    /// By task, model, tenant, status.
    public let requests: CounterFamily
    /// By task.
    public let requestDuration: HistogramFamily
    /// By pool.
    public let timeToFirstToken: HistogramFamily
    /// By pool.
    public let interTokenLatency: HistogramFamily
    /// The gateway's own time per request.
    public let overhead: HistogramFamily
    /// By pool, model, token type.
    public let tokens: CounterFamily
    /// By pool.
    public let requestsInFlight: GaugeFamily
    /// By ``RetryCause``.
    public let retries: CounterFamily
    /// By ``RejectionReason``.
    public let rejections: CounterFamily
    /// By pool.
    public let ejections: CounterFamily
    /// By pool, ``UpstreamErrorCause``.
    public let upstreamErrors: CounterFamily
    public let openStreams: GaugeFamily
    /// By ``HTTPVersion``, ``Encryption``.
    public let connections: GaugeFamily
    public let bufferedBytes: GaugeFamily
    /// By pool, model, provenance; fed microjoules.
    public let predictedEnergy: CounterFamily

    /// Labels: class.
    public let queueDepth: CallbackFamily
    /// Labels: pool, model.
    public let predictedCachedTokens: CounterFamily
    /// Labels: agrees.
    public let shadowPlacements: CounterFamily
    /// In microjoules.
    public let shadowPredictedEnergy: CounterFamily
    /// Labels: pool, meter, provenance.
    public let power: CallbackFamily
    /// Labels: account, the site's or a pool's.
    public let powerLimit: CallbackFamily
    /// Labels: account.
    public let predictedPower: CallbackFamily
    public let powerPressure: CallbackFamily
    /// Labels: pool, model, tenant, kind, provenance.
    public let energy: CallbackFamily
    /// Labels: outcome, the stage that gave a verdict or why there is none.
    public let classified: CallbackFamily
    /// Labels: cause, why they were closed.
    public let batches: CallbackFamily
    /// Labels: outcome, `written` or `lost`.
    public let journalEvents: CallbackFamily
    public let journalBytes: CallbackFamily
    /// Labels: pool, endpoint; 1 or 0.
    public let endpointUp: CallbackFamily
    /// Labels: pool, endpoint; 1 or 0.
    public let endpointDrainable: CallbackFamily

    /// Registers every family, those of the process included.
    public init(names: Names, version: String, in builder: inout MetricRegistryBuilder) {
        let pools = Self.bounded("pool", names.pools, Self.maxPools)
        let models = Self.bounded("model", names.models, Self.maxModels)
        let tenants = Self.bounded("tenant", names.tenants, Self.maxTenants)
        let tasks = LabelValues("task", InferenceTask.allCases.map(\.rawValue))
        (self.pools, self.models, self.tenants) = (pools, models, tenants)
        requests = builder.counter(
            "joulegate_requests_total", help: "Requests answered",
            labels: [tasks, models, tenants, LabelValues("status", Status.words)])
        requestDuration = builder.histogram(
            "joulegate_request_duration_seconds", help: "From a request's first byte to its last",
            layout: .request, labels: [tasks])
        timeToFirstToken = builder.histogram(
            "joulegate_ttft_seconds", help: "From arrival to the first token",
            layout: .firstToken, labels: [pools])
        interTokenLatency = builder.histogram(
            "joulegate_inter_token_latency_seconds", help: "Between two tokens of a stream",
            layout: .tokenGap, labels: [pools])
        overhead = builder.histogram(
            "joulegate_overhead_seconds", help: "The gateway's own time per request",
            layout: .overhead)
        tokens = builder.counter(
            "joulegate_tokens_total", help: "Tokens as the engines counted them",
            labels: [pools, models, LabelValues("token_type", TokenType.self)])
        requestsInFlight = builder.gauge(
            "joulegate_requests_in_flight", help: "Requests at the model servers",
            labels: [pools])
        queueDepth = builder.callback(
            MetricDescriptor(
                "joulegate_queue_depth", .gauge, help: "Requests waiting for a place",
                labels: ["class"]))
        retries = builder.counter(
            "joulegate_retries_total", help: "Further attempts",
            labels: [LabelValues("cause", RetryCause.self)])
        rejections = builder.counter(
            "joulegate_rejections_total", help: "Requests turned away or evicted",
            labels: [LabelValues("reason", RejectionReason.self)])
        ejections = builder.counter(
            "joulegate_ejections_total", help: "Endpoints taken out by the circuit breaker",
            labels: [pools])
        upstreamErrors = builder.counter(
            "joulegate_upstream_errors_total", help: "Failed attempts",
            labels: [pools, LabelValues("cause", UpstreamErrorCause.self)])
        openStreams = builder.gauge(
            "joulegate_open_streams", help: "Client streams with a response under way")
        connections = builder.gauge(
            "joulegate_connections", help: "Client connections",
            labels: [
                LabelValues("protocol", HTTPVersion.self), LabelValues("tls", Encryption.self),
            ])
        bufferedBytes = builder.gauge(
            "joulegate_buffered_bytes", help: "Response bytes held for slow clients",
            unit: "bytes")
        let provenances = LabelValues("provenance", Provenance.allCases.map(\.rawValue))
        predictedEnergy = builder.counter(
            "joulegate_predicted_joules_total", help: "Predicted marginal energy of placements",
            unit: "joules", labels: [pools, models, provenances], unitPerCount: 1e-6)
        predictedCachedTokens = builder.counter(
            "joulegate_predicted_cached_tokens_total",
            help: "Input tokens expected in the prefix caches of the endpoints chosen",
            labels: [pools, models])
        (shadowPlacements, shadowPredictedEnergy) = Self.shadowFamilies(in: &builder)
        (power, powerLimit, predictedPower, powerPressure) = Self.powerFamilies(in: &builder)
        energy = Self.energy(in: &builder)
        (classified, batches) = Self.classification(in: &builder)
        (journalEvents, journalBytes) = Self.journal(in: &builder)
        (endpointUp, endpointDrainable) = Self.endpoints(in: &builder)
        Self.registerBuild(version: version, in: &builder)
        ProcessFigures.register(in: &builder)
    }

    /// What became of messages, and why batches closed.
    private static func classification(
        in builder: inout MetricRegistryBuilder
    ) -> (CallbackFamily, CallbackFamily) {
        let messages = builder.callback(
            MetricDescriptor(
                "joulegate_classified_messages_total", .counter,
                help: "Messages by the stage that judged them", labels: ["outcome"]))
        let batches = builder.callback(
            MetricDescriptor(
                "joulegate_batches_total", .counter, help: "Batches closed, by why",
                labels: ["cause"]))
        return (messages, batches)
    }

    /// What is taken down for a replay.
    private static func journal(
        in builder: inout MetricRegistryBuilder
    ) -> (CallbackFamily, CallbackFamily) {
        let events = builder.callback(
            MetricDescriptor(
                "joulegate_journal_events_total", .counter,
                help: "Scheduler events, by whether the journal has them", labels: ["outcome"]))
        let bytes = builder.callback(
            MetricDescriptor(
                "joulegate_journal_bytes_total", .counter, help: "Bytes of the journal",
                unit: "bytes", labels: []))
        return (events, bytes)
    }

    /// Whether requests may be sent there, and whether they need it.
    private static func endpoints(
        in builder: inout MetricRegistryBuilder
    ) -> (CallbackFamily, CallbackFamily) {
        let isUp = builder.callback(
            MetricDescriptor(
                "joulegate_endpoint_up", .gauge, help: "1 if requests may be sent there",
                labels: ["pool", "endpoint"]))
        let isDrainable = builder.callback(
            MetricDescriptor(
                "joulegate_endpoint_drainable", .gauge,
                help: "1 if the expected load does not need it", labels: ["pool", "endpoint"]))
        return (isUp, isDrainable)
    }

    /// What another policy would have done.
    private static func shadowFamilies(
        in builder: inout MetricRegistryBuilder
    ) -> (CounterFamily, CounterFamily) {
        let placements = builder.counter(
            "joulegate_shadow_placements_total",
            help: "Placements that the shadow policy looked at",
            labels: [LabelValues("agrees", Agreement.self)])
        let energy = builder.counter(
            "joulegate_shadow_predicted_joules_total",
            help: "Predicted marginal energy had the shadow policy placed them",
            unit: "joules", unitPerCount: 1e-6)
        return (placements, energy)
    }

    /// Drawn, allowed, predicted, and how near the two are.
    private static func powerFamilies(
        in builder: inout MetricRegistryBuilder
    ) -> (CallbackFamily, CallbackFamily, CallbackFamily, CallbackFamily) {
        let power = builder.callback(
            MetricDescriptor(
                "joulegate_power_watts", .gauge, help: "Power of a pool's meters", unit: "watts",
                labels: ["pool", "meter", "provenance"]))
        let limit = builder.callback(
            MetricDescriptor(
                "joulegate_power_limit_watts", .gauge, help: "Limit at the machines",
                unit: "watts", labels: ["account"]))
        let predicted = builder.callback(
            MetricDescriptor(
                "joulegate_predicted_power_watts", .gauge,
                help: "What the endpoints under a limit are predicted to draw", unit: "watts",
                labels: ["account"]))
        let pressure = builder.callback(
            MetricDescriptor(
                "joulegate_power_pressure_ratio", .gauge,
                help: "0 far from every power limit, 1 at one", labels: []))
        return (power, limit, predicted, pressure)
    }

    private static func energy(in builder: inout MetricRegistryBuilder) -> CallbackFamily {
        builder.callback(
            MetricDescriptor(
                "joulegate_energy_joules_total", .counter, help: "Metered energy, by what used it",
                unit: "joules", labels: ["pool", "model", "tenant", "kind", "provenance"]))
    }

    private static func registerBuild(
        version: String, in builder: inout MetricRegistryBuilder
    ) {
        _ = builder.callback(
            MetricDescriptor(
                "joulegate_build_info", .gauge, help: "Always 1", labels: ["version"])
        ) { [LabelledValue([version], 1)] }
    }

    /// The position of a provenance in the label of ``predictedEnergy``.
    @inline(__always)
    public static func label(provenance: Provenance) -> Int {
        switch provenance {
        case .measured: 1
        case .modelled: 2
        case .assumed: 3
        }
    }

    /// The first `most` names, and a few spare places for those that a reload brings.
    private static func bounded(_ name: String, _ values: [String], _ most: Int) -> LabelValues {
        let kept = Array(values.prefix(most))
        return LabelValues(name, kept, spare: min(8, most - kept.count))
    }
}
