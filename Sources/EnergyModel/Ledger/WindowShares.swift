import InferenceTypes

/// The requests that a closing window touches: those that run, put in by the caller, and those
/// that left since the last close, which the ledger adds.
public struct WindowShares: Sendable {
    public struct Share: Sendable {
        /// `nil` for several of one account that share an entry.
        public var request: RequestID?
        /// What the window adds to it.
        public internal(set) var attribution = Attribution(
            meter: MeterID(0), marginal: .zero, idle: .zero)
        var number: UInt64
        var account: Int
        var position: Int
        var weight: Double
        var residency: Int64
    }

    public internal(set) var shares: [Share] = []
    /// So many of them, the first ones, still run.
    public internal(set) var running = 0

    public init() {}

    public mutating func removeAll() {
        shares.removeAll(keepingCapacity: true)
        running = 0
    }
}
