import InferenceTypes

/// Predicted power of every endpoint, its sums, and whether a placement still fits under the
/// limits. Meters lag by seconds, so the gate looks at what a placement *will* draw.
///
/// Worked: 8 H100 at 120 W idle under 4 240 W. Six that draw 653 W and two idle ones make 4 158 W;
/// opening a seventh (+ 286 W) is refused, a sequence more on a busy one (+ 0.3 W) is not. Hence a
/// limit is met by fewer endpoints at full batch, never by a lower batch on all of them.
struct PowerBudget: Sendable {
    /// One limit: the whole site (by machine watts) or one pool.
    struct Account: Hashable, Sendable {
        /// Watts; infinite: no limit.
        var limit = Double.infinity
        /// Predicted now.
        var sum = 0.0
        /// With nothing running anywhere.
        var floor = 0.0
        /// Of `sum`, what held endpoints will give back once they have drained.
        var draining = 0.0
        /// Above idle, by our own sequences.
        var own = 0.0
        /// Most that `own` may be; infinite where this gateway has the fleet to itself.
        var ownLimit = Double.infinity

        /// What may be drawn above idle.
        var range: Double { max(limit - floor, 0) }

        /// 0 while at most `soft` of the range is used, 1 when all of it is.
        func pressure(soft: Double) -> Double {
            guard limit < .infinity else { return 0 }
            guard range > 0 else { return 1 }
            let used = (sum - floor) / range
            return min(max((used - soft) / (1 - soft), 0), 1)
        }

        /// True if so many watts more still fit into `part` of the range.
        func admits(_ increase: Double, part: Double) -> Bool {
            guard limit < .infinity else { return true }
            let more = max(increase, 0)
            return sum + more <= min(limit, floor + range * part) && own + more <= ownLimit
        }

        var excess: Double { sum - draining - limit }
    }

    struct Configuration: Hashable, Sendable {
        /// Share of the range above idle at which joules begin to cost more.
        var softShare = 0.9
        /// Share of it that bulk requests may fill: the rest is for those who have a promise.
        var bulkShare = 0.95
        /// Beyond the limit by this share of it, or for longer than `patience`, endpoints are
        /// held: they finish what they run and get nothing new.
        var tolerance = 0.02
        var patience = TimeSpan.milliseconds(500)
        /// How often predictions are made anew, as prefill shares decay with time.
        var interval = TimeSpan.milliseconds(100)
    }

    let configuration = Configuration()
    private(set) var limits = PowerLimits.none
    private(set) var site = Account()
    private(set) var pools: [Account]
    /// By endpoint, watts.
    private(set) var predicted: [Double]
    private(set) var own: [Double]
    private(set) var isHeld: [Bool]
    private var held = 0
    /// By endpoint: what it drew when others began to be held. Up to there it may replace what
    /// ends, although the sum is still too high.
    private var ceiling: [Double]
    /// Since when the site or a pool is beyond its limit.
    var overSince: MonotonicTime?
    /// Placements refused so far.
    private(set) var refusals: UInt64 = 0
    private let idle: [Double]
    private let pool: [Int]

    /// False while there is no limit: then nothing here costs anything.
    private(set) var isOn = false

    init(idle: [Watts], pools indices: [Int], poolCount: Int) {
        self.idle = idle.map(\.value)
        pool = indices
        predicted = self.idle
        own = Array(repeating: 0, count: idle.count)
        isHeld = Array(repeating: false, count: idle.count)
        ceiling = Array(repeating: 0, count: idle.count)
        pools = Array(repeating: Account(), count: poolCount)
        refresh()
    }

    mutating func set(_ limits: PowerLimits) {
        self.limits = limits
        isOn = !limits.isNone
        // Who is held under the new limits is decided anew.
        isHeld = Array(repeating: false, count: isHeld.count)
        held = 0
        overSince = nil
        refresh()
    }

    /// `own`: the part above idle that is our own sequences'.
    mutating func update(_ endpoint: Int, watts: Double, own part: Double) {
        let change = watts - predicted[endpoint]
        let ownChange = part - own[endpoint]
        predicted[endpoint] = watts
        own[endpoint] = part
        add(change, own: ownChange, draining: isHeld[endpoint] ? change : 0, to: &site)
        add(change, own: ownChange, draining: isHeld[endpoint] ? change : 0,
            to: &pools[pool[endpoint]])
    }

    private func add(
        _ change: Double, own: Double, draining: Double, to account: inout Account
    ) {
        account.sum += change
        account.own += own
        account.draining += draining
    }

    /// `replaces`: the others may go on replacing what ends; not where the limit is passed by so
    /// little that it is met sooner without.
    mutating func hold(_ endpoint: Int, _ held: Bool, replaces: Bool = false) {
        guard isHeld[endpoint] != held else { return }
        if held, self.held == 0 {
            ceiling = predicted.map { replaces ? $0 * Self.replacement : 0 }
        }
        isHeld[endpoint] = held
        self.held += held ? 1 : -1
        let rest = (predicted[endpoint] - idle[endpoint]) * (held ? 1 : -1)
        site.draining += rest
        pools[pool[endpoint]].draining += rest
    }

    /// A newcomer's prompt draws a little more than the decoding that it replaces.
    static let replacement = 1.01

    /// Adds everything up anew, so that roundings do not pile up.
    mutating func refresh() {
        site = Account()
        for index in pools.indices { pools[index] = Account() }
        for endpoint in predicted.indices {
            let watts = predicted[endpoint]
            let rest = isHeld[endpoint] ? watts - idle[endpoint] : 0
            for index in [-1, pool[endpoint]] {
                var account = index < 0 ? site : pools[index]
                account.sum += watts
                account.floor += idle[endpoint]
                account.own += own[endpoint]
                account.draining += rest
                if index < 0 { site = account } else { pools[index] = account }
            }
        }
        if let watts = limits.site { site.limit = watts.value / limits.pue }
        site.ownLimit = limits.share < 1 ? site.range * limits.share : .infinity
        for index in pools.indices {
            if limits.pools.indices.contains(index), let watts = limits.pools[index] {
                pools[index].limit = watts.value
            }
            pools[index].ownLimit =
                limits.share < 1 ? pools[index].range * limits.share : .infinity
        }
    }

    /// True if the endpoint may go to `watts` for the sake of such a request.
    func admits(_ endpoint: Int, watts: Double, isBulk: Bool) -> Bool {
        if isHeld[endpoint] { return false }
        if held > 0, watts <= ceiling[endpoint] { return true }
        let increase = (watts - predicted[endpoint])
        let part = isBulk ? configuration.bulkShare : 1
        return site.admits(increase, part: part)
            && pools[pool[endpoint]].admits(increase, part: part)
    }

    mutating func refused() { refusals &+= 1 }

    /// 0 to 1: how near the nearest limit is that concerns the endpoint.
    func pressure(on endpoint: Int) -> Double {
        guard isOn else { return 0 }
        return max(
            site.pressure(soft: configuration.softShare),
            pools[pool[endpoint]].pressure(soft: configuration.softShare))
    }

    /// 0 to 1, of the site and all pools.
    @inline(__always)
    var pressure: Double { isOn ? sharpestPressure : 0 }

    private var sharpestPressure: Double {
        pools.reduce(site.pressure(soft: configuration.softShare)) {
            max($0, $1.pressure(soft: configuration.softShare))
        }
    }

    /// The account that is beyond its limit by most: -1 the site, else a pool; `nil`: none is.
    /// `watts`: by how much, at the machines.
    var worst: (account: Int, watts: Double, limit: Double)? {
        var worst: (account: Int, watts: Double, limit: Double)?
        for index in -1..<pools.count {
            let account = index < 0 ? site : pools[index]
            guard account.limit < .infinity, account.excess > 0 else { continue }
            if account.excess > worst?.watts ?? 0 {
                worst = (index, account.excess, account.limit)
            }
        }
        return worst
    }
}
