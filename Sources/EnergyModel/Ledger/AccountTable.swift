import InferenceTypes

/// What each pool, model, tenant and service class has used. The table has one row for each
/// combination that the configuration knows; if those are too many, the last tenants share one.
public struct AccountTable: Sendable {
    public struct Key: Hashable, Sendable {
        public var pool: PoolID
        public var model: ModelID
        /// ``TenantID/anonymous`` for everybody who has no row of their own.
        public var tenant: TenantID
        public var serviceClass: ServiceClass

        public init(
            pool: PoolID, model: ModelID, tenant: TenantID, serviceClass: ServiceClass
        ) {
            self.pool = pool
            self.model = model
            self.tenant = tenant
            self.serviceClass = serviceClass
        }
    }

    public struct Row: Hashable, Sendable {
        /// Above idle, by provenance: measured, modelled, assumed. Final.
        public var active = ByProvenance()
        /// Above idle, imputed while a meter is silent; settled when it is back.
        public var pending = Microjoules.zero
        /// Shares of idle power: while own requests ran, and of the gaps between requests.
        public var idleBusy = Microjoules.zero
        public var idleGap = Microjoules.zero
        public var requests = 0
        var isUsed = false
        /// Energy above idle of the last day or so, J, as it was at `trailingAt`.
        var trailing = 0.0
        var trailingAt = MonotonicTime.zero

        public init() {}

        /// Adds what another account has used.
        public mutating func add(_ other: Row) {
            for provenance in Provenance.allCases {
                active[provenance] += other.active[provenance]
            }
            pending += other.pending
            idleBusy += other.idleBusy
            idleGap += other.idleGap
            requests += other.requests
        }

        /// Above idle, the pending part included.
        public var marginal: Microjoules { active.total + pending }
        public var fullCost: Microjoules { marginal + idleBusy + idleGap }
    }

    public struct ByProvenance: Hashable, Sendable {
        public var measured = Microjoules.zero
        public var modelled = Microjoules.zero
        public var assumed = Microjoules.zero

        public init() {}
        public var total: Microjoules { measured + modelled + assumed }

        public subscript(provenance: Provenance) -> Microjoules {
            get {
                switch provenance {
                case .measured: measured
                case .modelled: modelled
                case .assumed: assumed
                }
            }
            set {
                switch provenance {
                case .measured: measured = newValue
                case .modelled: modelled = newValue
                case .assumed: assumed = newValue
                }
            }
        }
    }

    private(set) var rows: [Row]
    /// By pool: rows that were ever used, in order of first use.
    private var used: [[Int]]
    private let models: Int
    /// Tenants with rows of their own; one more for the others.
    private let tenants: Int

    static let classes = ServiceClass.allCases.count
    /// Half of what an account has used is forgotten in this time when gaps are spread.
    static let trailingHalfLife = TimeSpan.seconds(43_200)

    /// `most`: bound on the number of rows.
    public init(pools: Int, models: Int, tenants: Int, most: Int) {
        let pools = max(pools, 1)
        self.models = max(models, 1)
        let perTenant = pools * self.models * Self.classes
        self.tenants = max(min(tenants, most / perTenant - 1), 0)
        rows = Array(repeating: Row(), count: perTenant * (self.tenants + 1))
        used = Array(repeating: [], count: pools)
    }

    /// The row of a request; pools and models that are not configured have none.
    public func index(of key: Key) -> Int {
        let pool = min(max(key.pool.index, 0), used.count - 1)
        let model = min(max(key.model.index, 0), models - 1)
        let tenant = key.tenant.index
        let owner = (0..<tenants).contains(tenant) ? tenant : tenants
        let row = (pool * models + model) * (tenants + 1) + owner
        return row * Self.classes + key.serviceClass.rank
    }

    func key(at index: Int) -> Key {
        let row = index / Self.classes
        let owner = row % (tenants + 1)
        let model = row / (tenants + 1) % models
        let pool = row / (tenants + 1) / models
        return Key(
            pool: PoolID(pool), model: ModelID(model),
            tenant: owner == tenants ? .anonymous : TenantID(owner),
            serviceClass: ServiceClass.allCases[index % Self.classes])
    }

    /// Rows that were ever used, by pool.
    public var entries: [(key: Key, row: Row)] {
        used.flatMap { $0.map { (key(at: $0), rows[$0]) } }
    }

    func used(of pool: Int) -> [Int] { used.indices.contains(pool) ? used[pool] : [] }

    mutating func update(_ index: Int, _ change: (inout Row) -> Void) {
        guard rows.indices.contains(index) else { return }
        if !rows[index].isUsed {
            rows[index].isUsed = true
            used[key(at: index).pool.index].append(index)
        }
        change(&rows[index])
    }

    /// What an account used lately, J: its claim on the gaps.
    func trailing(of index: Int, at now: MonotonicTime) -> Double {
        let row = rows[index]
        let age = max((now - row.trailingAt).seconds, 0) / Self.trailingHalfLife.seconds
        return row.trailing * Mathematics.pow(0.5, age)
    }

    mutating func use(_ index: Int, _ energy: Microjoules, at now: MonotonicTime) {
        guard rows.indices.contains(index), energy.value > 0 else { return }
        rows[index].trailing = trailing(of: index, at: now) + energy.joules.value
        rows[index].trailingAt = now
    }
}
