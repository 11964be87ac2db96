import InferenceTypes

@testable import EnergyModel

/// A ledger with two endpoints on one meter, one of which has a meter of its host beside it, and
/// requests that come and go as a test says.
struct LedgerBench {
    let model = EndpointModel(profile: Profiles.h100, engine: .vllm)
    var models: [EndpointModel] { [model, model] }
    var ledger: EnergyLedger
    var now = MonotonicTime.zero
    var running: [(id: UInt64, endpoint: Int, work: RequestWork)] = []
    /// By request: what windows added.
    var charged: [UInt64: Int64] = [:]
    var idled: [UInt64: Int64] = [:]
    private var shares = WindowShares()

    static let shared = MeterID(0)
    static let host = MeterID(1)

    init(mostUnsettled: Int = 1_000) {
        ledger = EnergyLedger(
            meters: [
                .init(name: "card", endpoints: [EndpointID(0), EndpointID(1)], scope: .accelerator),
                .init(name: "host", endpoints: [EndpointID(1)], scope: .host),
            ],
            endpoints: [
                .init(pool: PoolID(0), scope: .accelerator),
                .init(pool: PoolID(1), scope: .accelerator),
            ],
            models: [model, model],
            accounts: AccountTable(pools: 2, models: 2, tenants: 3, most: 1_000),
            mostUnsettled: mostUnsettled, at: .zero)
    }

    mutating func wait(_ seconds: Double) { now = now + TimeSpan(seconds: seconds) }

    mutating func place(
        _ id: UInt64, on endpoint: Int, tenant: Int = 0, input: Int = 1_155, decodes: Bool = true
    ) {
        let account = ledger.accounts.index(
            of: .init(
                pool: PoolID(endpoint), model: ModelID(0), tenant: TenantID(tenant),
                serviceClass: .default))
        let size = RequestSize(inputTokens: input, outputTokens: 1, generates: decodes)
        var work = ledger.placed(
            .init(inputTokens: input, sequences: 1, generates: decodes, streams: true),
            number: id, account: account, prefill: model.prefillTime(of: size), on: endpoint,
            at: now)
        if input == 0 { ledger.firstToken(&work, on: endpoint, at: now) }
        running.append((id, endpoint, work))
    }

    mutating func firstToken(_ position: Int) {
        ledger.firstToken(
            &running[position].work, on: running[position].endpoint, at: now)
    }

    mutating func end(_ position: Int, isAnswered: Bool = true) {
        var (id, endpoint, work) = running.remove(at: position)
        ledger.left(
            &work, request: RequestID(id), isAnswered: isAnswered, usage: Usage(), on: endpoint,
            at: now)
    }

    /// Closes a window from the meter's last one to now; false if the ledger refused it.
    @discardableResult
    mutating func close(
        _ meter: MeterID, joules: Double, kind: MeterWindow.Kind = .metered,
        from start: MonotonicTime? = nil
    ) -> Bool {
        let start = start ?? ledger.books[meter.index].closedAt ?? .zero
        let window = MeterWindow(
            meter: meter, start: start, end: now, energy: Microjoules(Joules(joules)),
            provenance: kind == .imputed ? .modelled : .measured, kind: kind)
        guard ledger.admits(window) else { return false }
        shares.removeAll()
        for (position, id) in ledger.meters[meter.index].endpoints.enumerated() {
            for entry in running where entry.endpoint == id.index {
                ledger.add(
                    entry.work, request: RequestID(entry.id), at: position, of: meter, model,
                    at: now, to: &shares)
            }
        }
        _ = ledger.close(window, &shares, models: models, at: now)
        for share in shares.shares {
            guard let id = share.request?.rawValue else { continue }
            charged[id, default: 0] += share.attribution.marginal.value
            idled[id, default: 0] += share.attribution.idle.value
        }
        return true
    }
}
