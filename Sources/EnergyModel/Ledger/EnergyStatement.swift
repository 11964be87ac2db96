import InferenceTypes

/// The books at one moment, for pages and metrics. Every sum is exact.
public struct EnergyStatement: Sendable {
    public struct Meter: Hashable, Sendable {
        public var name: String
        public var scope: Profile.MeterScope
        public var endpoints: [EndpointID]
        /// `requests + idle + unexplained`.
        public var total: Microjoules
        public var requests: Microjoules
        public var idle: Microjoules
        public var unexplained: Microjoules
        /// Of `idle`, what requests and tenants bear in the view of full cost.
        public var idleSpread: Microjoules
        /// Of `total`, the model's word for a silence that goes on, and for good.
        public var pending: Microjoules
        public var conceded: Microjoules
        public var windows: Int
        public var refused: Int
        public var closedAt: MonotonicTime?
        /// Mean power of the last window.
        public var power: Watts?
    }

    /// By ``MeterID``.
    public var meters: [Meter]
    public var accounts: [(key: AccountTable.Key, row: AccountTable.Row)]
    /// By pool, final: idle and unexplained energy of its meters.
    public var idleByPool: [AccountTable.ByProvenance]
    public var unexplainedByPool: [AccountTable.ByProvenance]

    public init(
        meters: [Meter], accounts: [(key: AccountTable.Key, row: AccountTable.Row)],
        idleByPool: [AccountTable.ByProvenance], unexplainedByPool: [AccountTable.ByProvenance]
    ) {
        self.meters = meters
        self.accounts = accounts
        self.idleByPool = idleByPool
        self.unexplainedByPool = unexplainedByPool
    }
}

extension EnergyLedger {
    public var statement: EnergyStatement {
        EnergyStatement(
            meters: books.indices.map { index in
                let book = books[index]
                return EnergyStatement.Meter(
                    name: meters[index].name, scope: meters[index].scope,
                    endpoints: meters[index].endpoints, total: book.total,
                    requests: book.requests, idle: book.idle, unexplained: book.unexplained,
                    idleSpread: book.idleSpread, pending: book.pending,
                    conceded: book.conceded, windows: book.windows, refused: book.refused,
                    closedAt: book.closedAt, power: book.power)
            },
            accounts: accounts.entries, idleByPool: idleByPool,
            unexplainedByPool: unexplainedByPool)
    }
}
