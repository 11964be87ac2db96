import InferenceTypes

/// The account of one meter. `total == requests + idle + unexplained`, to the microjoule, after
/// every window.
public struct MeterBook: Sendable {
    /// Everything that the meter, or in its silence the model, said was drawn.
    public internal(set) var total = Microjoules.zero
    /// What fell to requests.
    public internal(set) var requests = Microjoules.zero
    /// The idle power of its endpoints, whether or not requests ran.
    public internal(set) var idle = Microjoules.zero
    /// Above idle, and nobody of ours was there to use it, or not nearly so much.
    public internal(set) var unexplained = Microjoules.zero
    /// Of `idle`: what fell to requests and tenants in the view of full cost. The rest is the
    /// node's own.
    public internal(set) var idleSpread = Microjoules.zero
    /// Of `total`: the model's word for a silence that goes on.
    public internal(set) var pending = Microjoules.zero
    /// Of `total`: the model's word, for good.
    public internal(set) var conceded = Microjoules.zero
    public internal(set) var windows = 0
    /// Windows that were late, overlapped others or were empty.
    public internal(set) var refused = 0
    /// The end of the last window; `nil` before the first.
    public internal(set) var closedAt: MonotonicTime?
    public internal(set) var lastKind: MeterWindow.Kind?
    /// Mean power of the last window.
    public internal(set) var power: Watts?

    /// Metered energy above idle over the model's word for it: a running mean.
    var calibration = 1.0
    /// The least mean power of a window: the idle power of what no profile tells of.
    var floor: Double?
    var gap: Gap?

    /// By position in the meter's endpoints: the clocks as they were at the last close.
    var marks: [Mark]
    var activities: [EndpointActivity]
    /// Requests that left since.
    var ended: [EndedShare] = []
    var merged: [Int: Int] = [:]

    public var isBalanced: Bool { requests + idle + unexplained == total }

    init(clocks: [WorkClock]) {
        marks = clocks.map { Mark($0) }
        activities = clocks.map(\.activity)
    }

    /// A reading of a ``WorkClock``, without what only a whole window needs.
    struct Mark: Sendable {
        var at: MonotonicTime
        var turns: Double
        var share: Double
        var prefillDone: Double
        var foreignEnergy: Double

        init(_ clock: WorkClock) {
            at = clock.at
            turns = clock.turns
            share = clock.share
            prefillDone = clock.prefillDone
            foreignEnergy = clock.foreignEnergy
        }
    }

    /// A request that left before the window closed in which it ran.
    struct EndedShare: Sendable {
        /// `nil` for several of one account that share an entry.
        var request: RequestID?
        var number: UInt64
        var account: Int
        var position: Int
        /// J, by the model.
        var weight: Double
        /// Nanoseconds it was there since the last close.
        var residency: Int64
    }

    /// A silence that goes on: what was imputed in it, and to whom.
    struct Gap: Sendable {
        var start: MonotonicTime
        var end: MonotonicTime
        var idle = Microjoules.zero
        var unexplained = Microjoules.zero
        /// By account row.
        var rows: [Int: Int64] = [:]
        /// The idle power, J: what `idle` may be at most if the counter comes back.
        var idleLimit = Microjoules.zero
        var provenance = Provenance.modelled
    }

    /// Notes a share, or beyond `most` adds it to that of its account.
    mutating func note(_ share: EndedShare, most: Int) {
        guard ended.count >= most else {
            ended.append(share)
            return
        }
        if let index = merged[share.account] {
            ended[index].weight += share.weight
            ended[index].residency = (TimeSpan(nanoseconds: ended[index].residency)
                + TimeSpan(nanoseconds: share.residency)).nanoseconds
            return
        }
        var share = share
        share.request = nil
        share.number = .max - UInt64(share.account)
        merged[share.account] = ended.count
        ended.append(share)
    }
}
