import InferenceTypes

/// The books of energy. Every microjoule that a meter counts is, when its window closes, either
/// idle, or a request's, or unexplained: nothing is lost and nothing is counted twice.
///
///     idle    = min(dE, P0 dt)                     of the meter's endpoints
///     act     = dE - idle
///     weight  = c_p prefill + (V(end) - V(start)) sequences + e2 kv steps      by the model, J
///     request = act weight / sum of weights        rounded by ``LargestRemainder``
///
/// A window whose requests are nowhere near worth its energy is not charged to them: beyond
/// ``most`` times the model's word it is unexplained, as is the share of other people's sequences.
///
/// Two views are kept apart. Marginal: idle stays the node's. Full cost: while requests ran, idle
/// falls to them by the time they were there; the gaps between them to accounts by what they used
/// lately.
public struct EnergyLedger: Sendable {
    /// A meter and the endpoints that it sees. Several endpoints may share one, and one endpoint
    /// may need several; their scopes do not overlap then.
    public struct Meter: Hashable, Sendable {
        public var name: String
        public var endpoints: [EndpointID]
        public var scope: Profile.MeterScope

        public init(name: String, endpoints: [EndpointID], scope: Profile.MeterScope) {
            self.name = name
            self.endpoints = endpoints
            self.scope = scope
        }
    }

    /// What the ledger has to know of an endpoint beside its model.
    public struct Endpoint: Hashable, Sendable {
        public var pool: PoolID
        /// What its profile's figures are meant of.
        public var scope: Profile.MeterScope
        /// What it draws asleep.
        public var sleepPower: Watts

        public init(pool: PoolID, scope: Profile.MeterScope, sleepPower: Watts = .zero) {
            self.pool = pool
            self.scope = scope
            self.sleepPower = sleepPower
        }
    }

    /// By ``MeterID``, as the next two.
    public let meters: [Meter]
    public internal(set) var books: [MeterBook]
    /// By position in the meter's endpoints: the part of an endpoint's figures that is this
    /// meter's. 1 for the only meter of the profile's scope, 1/8 for one of eight, 0 for a scope
    /// of which the profile says nothing.
    let portions: [[Double]]
    /// By ``EndpointID``, as the next two.
    var clocks: [WorkClock]
    public let endpoints: [Endpoint]
    let metersOf: [[Place]]
    /// Since when it has been awake; `nil`: it is not.
    var awakeSince: [MonotonicTime?]
    public internal(set) var accounts: AccountTable
    /// Idle and unexplained energy by pool; final, without what is pending.
    public internal(set) var idleByPool: [AccountTable.ByProvenance]
    public internal(set) var unexplainedByPool: [AccountTable.ByProvenance]
    let mostUnsettled: Int
    /// Whether reading the KV cache is charged by the length of each context. Not where an engine
    /// is known to read it for nothing, as emulated ones do.
    public var chargesContext = true
    var splitter = LargestRemainder()

    /// A meter, and the endpoint's position among those that it sees.
    struct Place: Hashable, Sendable {
        var meter: Int
        var position: Int
    }

    /// How long an endpoint has been idle before its idle power is all that its meter sees.
    public static let relaxation = TimeSpan.seconds(5)
    /// Requests are charged at most so many times what the model says they are worth.
    public static let most = 5.0

    public init(
        meters: [Meter], endpoints: [Endpoint], models: [EndpointModel], accounts: AccountTable,
        mostUnsettled: Int, at start: MonotonicTime
    ) {
        let clocks = models.map { WorkClock($0, at: start) }
        let meters = meters.map { meter in
            var meter = meter
            meter.endpoints = meter.endpoints.filter { clocks.indices.contains($0.index) }
            return meter
        }
        self.meters = meters
        self.clocks = clocks
        self.endpoints = endpoints
        awakeSince = Array(repeating: MonotonicTime(nanoseconds: .min), count: endpoints.count)
        self.accounts = accounts
        self.mostUnsettled = max(mostUnsettled, 1)
        books = meters.map { meter in
            MeterBook(clocks: meter.endpoints.map { clocks[$0.index] })
        }
        metersOf = endpoints.indices.map { endpoint in
            meters.indices.compactMap { meter in
                meters[meter].endpoints.firstIndex(of: EndpointID(endpoint))
                    .map { Place(meter: meter, position: $0) }
            }
        }
        portions = meters.map { meter in
            meter.endpoints.map { id in
                guard endpoints[id.index].scope == meter.scope else { return 0 }
                let alike = meters.count {
                    $0.scope == meter.scope && $0.endpoints.contains(id)
                }
                return 1 / Double(max(alike, 1))
            }
        }
        let pools = 1 + (endpoints.map(\.pool.index).max() ?? 0)
        idleByPool = Array(repeating: AccountTable.ByProvenance(), count: pools)
        unexplainedByPool = idleByPool
    }

    // MARK: Weights

    /// J above idle that the model says a request has cost since a mark; since it was placed
    /// without one.
    func weight(
        of work: RequestWork, since mark: MeterBook.Mark?, on endpoint: Int,
        _ model: EndpointModel
    ) -> Double {
        // Field by field: a copy of the clock would count a reference.
        let sequences = Double(work.demand.sequences)
        var joules = 0.0
        if work.prefillSeconds > 0 {
            let from = max(work.prefillFrom, mark?.prefillDone ?? 0)
            let done = max(min(work.prefillEnd, clocks[endpoint].prefillDone) - from, 0)
            joules += done * model.tokensPerPrefillSecond * model.prefillEnergyPerToken.value
        }
        if work.isDecoding {
            joules += sequences * (clocks[endpoint].share - max(work.shareFrom, mark?.share ?? 0))
            guard chargesContext else { return max(joules, 0) }
            let from = max(work.turnsFrom, mark?.turns ?? 0)
            let first = from - work.turnsFrom
            let last = clocks[endpoint].turns - work.turnsFrom
            let input = Double(work.demand.inputTokens)
            let read = (last - first) * (input + (first + last) / 2)
            joules += sequences * model.kvEnergyPerStep * read
        }
        return max(joules, 0)
    }

    /// What is known of a request's cost at this moment, in joules: the closed windows' figures
    /// and, for those still open, the model's by the meter's last word.
    public mutating func figure(
        of work: RequestWork, on endpoint: Int, _ model: EndpointModel, at now: MonotonicTime
    ) -> RequestEnergy {
        clocks[endpoint].advance(to: now)
        let assumed = model.provenance(batch: 1)
        let places = metersOf[endpoint]
        if places.isEmpty {
            let joules = weight(of: work, since: nil, on: endpoint, model) + max(work.extra, 0)
            let idle = idlePower(of: model) * (now - work.placedAt)
            let marginal = Microjoules(Joules(joules))
            let share = idle.value / Double(max(clocks[endpoint].inFlight, 1))
            return RequestEnergy(
                marginal: marginal, total: marginal + Microjoules(Joules(share)),
                provenance: assumed, scopes: [endpoints[endpoint].scope], isEstimated: true)
        }
        var open = work.extra
        var idle = 0.0
        var scopes: [Profile.MeterScope] = []
        var provenance = work.provenance
        for place in places {
            let book = books[place.meter]
            let mark = book.marks[place.position]
            let portion = portions[place.meter][place.position]
            let weight = weight(of: work, since: mark, on: endpoint, model)
            open += weight * (portion > 0 ? portion : 1) * book.calibration
            let residency = (now - max(work.placedAt, mark.at)).seconds
            let watts = portion > 0 ? idlePower(of: model).value * portion : book.floor ?? 0
            idle += watts * max(residency, 0) / Double(max(clocks[endpoint].inFlight, 1))
            if !scopes.contains(meters[place.meter].scope) {
                scopes.append(meters[place.meter].scope)
            }
            if book.windows == 0 { provenance = provenance.combined(with: assumed) }
        }
        let marginal = work.marginal + Microjoules(Joules(max(open, 0)))
        return RequestEnergy(
            marginal: marginal, total: marginal + work.idle + Microjoules(Joules(idle)),
            provenance: provenance, scopes: scopes, isEstimated: true)
    }

    func idlePower(of model: EndpointModel) -> Watts {
        Watts(max(model.curve.idlePower.value, 0))
    }
}
