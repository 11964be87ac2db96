import InferenceTypes
import Scheduling
import Telemetry
import Transport

/// What is sent to model servers: a request, or a batch of messages.
protocol PlacedWork: AnyObject {
    /// Where the attempt under way went. A placement itself is long, and to ask it would be to copy
    /// it.
    var pool: PoolID? { get }
    var model: ModelID { get }
}

extension Exchange: PlacedWork {}
extension BatchFlight: PlacedWork {}

/// What one reactor counts. Handles are looked up once; counting is an addition. An object, since
/// reading a struct out of another object copies all that it refers to.
final class ReactorInstruments {
    private let families: GatewayInstruments
    private let shard: MetricShard
    private let totals: Totals
    private let reactor: Int
    /// Positions in the labels, by ``PoolID``, ``ModelID``, ``TenantID`` + 1.
    private let pools: [Int]
    private let models: [Int]
    private let tenants: [Int]
    private var inFlight: [Int64]

    init(_ gateway: Gateway, reactor: Int) {
        families = gateway.instruments
        shard = gateway.registry.shards[reactor]
        totals = gateway.totals
        self.reactor = reactor
        let configuration = gateway.configuration
        pools = configuration.pools.map { gateway.instruments.pools.position(of: $0.name) }
        models = configuration.models.map { gateway.instruments.models.position(of: $0.name) }
        tenants = (["anonymous"] + configuration.tenants.map(\.name)).map {
            gateway.instruments.tenants.position(of: $0)
        }
        inFlight = Array(repeating: 0, count: configuration.pools.count)
    }

    private func label(_ model: ModelID) -> Int {
        models.indices.contains(model.index) ? models[model.index] : LabelValues.other
    }

    /// A request was answered without a model server.
    func answered(status: Int) {
        // A refused request is a request; a health check or a list of models is not.
        if status >= 400 {
            families.requests[
                LabelValues.other, LabelValues.other, LabelValues.other,
                GatewayInstruments.label(status: status)
            ].add(shard: shard)
        }
        totals.answered(isError: status >= 500, reactor: reactor)
    }

    func dispatched(
        _ exchange: some PlacedWork, _ placement: borrowing Placement, ownTime: TimeSpan
    ) {
        guard let pool = exchange.pool else { return }
        families.overhead[].observe(ownTime, shard: shard)
        let joules = Microjoules(placement.estimate.marginalEnergy).value
        families.predictedEnergy[
            pools[pool.index], label(exchange.model),
            GatewayInstruments.label(provenance: placement.estimate.provenance)
        ].add(UInt64(max(0, joules)), shard: shard)
        if placement.cachedInputTokens > 0 {
            families.predictedCachedTokens[pools[pool.index], label(exchange.model)]
                .add(UInt64(placement.cachedInputTokens), shard: shard)
        }
        if let shadow = placement.shadow { compared(placement.endpoint, shadow) }
    }

    private func compared(_ endpoint: EndpointID, _ shadow: Placement.Shadow) {
        let agreement = GatewayInstruments.Agreement(shadow.endpoint == endpoint)
        families.shadowPlacements[agreement.rawValue].add(shard: shard)
        let joules = Microjoules(shadow.marginalEnergy).value
        families.shadowPredictedEnergy[].add(UInt64(max(0, joules)), shard: shard)
    }

    func attemptBegan(_ exchange: some PlacedWork) {
        guard let pool = exchange.pool else { return }
        inFlight[pool.index] += 1
        families.requestsInFlight[pools[pool.index]].set(inFlight[pool.index], shard: shard)
    }

    func attemptEnded(_ exchange: some PlacedWork) {
        guard let pool = exchange.pool else { return }
        inFlight[pool.index] -= 1
        families.requestsInFlight[pools[pool.index]].set(inFlight[pool.index], shard: shard)
    }

    func firstToken(_ exchange: Exchange, after span: TimeSpan) {
        guard let pool = exchange.pool else { return }
        families.timeToFirstToken[pools[pool.index]].observe(span, shard: shard)
    }

    /// `events` pieces of content arrived together, `gap` after the ones before.
    func tokens(_ exchange: Exchange, _ events: Int, gap: TimeSpan) {
        guard let pool = exchange.pool, events > 0 else { return }
        let each = TimeSpan(nanoseconds: gap.nanoseconds / Int64(events))
        families.interTokenLatency[pools[pool.index]].observe(each, shard: shard)
    }

    func used(_ exchange: some PlacedWork, _ usage: Usage) {
        guard let pool = exchange.pool else { return }
        let position = pools[pool.index]
        let model = label(exchange.model)
        count(usage.inputTokens, .input, position, model)
        count(usage.outputTokens, .output, position, model)
        count(usage.cachedInputTokens, .cachedInput, position, model)
        totals.finished(pool: pool, outputTokens: usage.outputTokens ?? 0, reactor: reactor)
    }

    private func count(
        _ tokens: Int?, _ type: GatewayInstruments.TokenType, _ pool: Int, _ model: Int
    ) {
        guard let tokens, tokens > 0 else { return }
        families.tokens[pool, model, type.rawValue].add(UInt64(tokens), shard: shard)
    }

    func attemptFailed(_ exchange: some PlacedWork, _ failure: UpstreamFailure) {
        guard let pool = exchange.pool else { return }
        families.upstreamErrors[pools[pool.index], cause(failure).rawValue].add(shard: shard)
    }

    func retried(_ failure: UpstreamFailure) {
        let cause: GatewayInstruments.RetryCause =
            switch failure {
            case .connectFailed: .connect
            case .closedBeforeHeaders: .reset
            case .timeout: .timeout
            case .saturated, .serverError, .clientError: .status
            case .malformed, .cut: .truncated
            }
        families.retries[cause.rawValue].add(shard: shard)
    }

    func staleConnection() {
        families.retries[GatewayInstruments.RetryCause.staleConnection.rawValue].add(shard: shard)
    }

    private func cause(_ failure: UpstreamFailure) -> GatewayInstruments.UpstreamErrorCause {
        switch failure {
        case .connectFailed: .connect
        case .closedBeforeHeaders: .reset
        case .timeout(.firstByte): .firstByteTimeout
        case .timeout(.betweenBytes): .betweenBytesTimeout
        case .saturated, .serverError, .clientError: .status
        case .malformed: .protocolViolation
        case .cut: .truncated
        }
    }

    func rejected(_ rejection: Rejection) {
        let reason: GatewayInstruments.RejectionReason =
            switch rejection.reason {
            case .saturated: .saturated
            case .noEndpoints, .upstreamFailed: .noEndpoints
            case .ttlExpired: .ttlExpired
            case .shuttingDown: .shuttingDown
            case .powerBudget: .powerBudget
            }
        families.rejections[reason.rawValue].add(shard: shard)
    }

    func ended(_ exchange: Exchange, status: Int, after span: TimeSpan) {
        let tenant = exchange.tenant.index + 1
        families.requests[
            GatewayInstruments.label(task: exchange.task), label(exchange.model),
            tenants.indices.contains(tenant) ? tenants[tenant] : LabelValues.other,
            GatewayInstruments.label(status: status)
        ].add(shard: shard)
        families.requestDuration[GatewayInstruments.label(task: exchange.task)]
            .observe(span, shard: shard)
        totals.answered(isError: status >= 500, reactor: reactor)
    }

    /// Levels, looked at every now and then.
    func sample(_ shell: ReactorShell) {
        guard let server = shell.reactor.server else { return }
        families.openStreams[].set(Int64(server.openStreams), shard: shard)
        let census = server.census()
        for (version, isTLS, count) in census.connections {
            families.connections[
                (version == 2
                    ? GatewayInstruments.HTTPVersion.h2 : GatewayInstruments.HTTPVersion.h1)
                    .rawValue,
                GatewayInstruments.Encryption(encrypted: isTLS).rawValue
            ].set(Int64(count), shard: shard)
        }
        families.bufferedBytes[].set(Int64(census.bufferedBytes), shard: shard)
    }
}
