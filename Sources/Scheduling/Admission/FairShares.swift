import InferenceTypes

/// In which order the tenants of one class are served: start-time fair queueing, by expected
/// engine work.
///
/// Each tenant has a start tag, the work it was given divided by its weight; who waits with the
/// least tag is next, and of equal ones the lower index. A dispatch of cost `c` adds `c / weight`
/// to its tag. Who begins to wait is lifted to the least tag of those who wait already: time in
/// which one asked for nothing earns no credit. While nobody waits nothing is counted, for then
/// nobody's request costs another one's time.
///
/// The bound: between two tenants that wait all the while, of weights `v` and `w`, the difference
/// of work over weight is never more than `c / v + c / w`, where `c` is the largest cost.
/// Worked, weights 1 and 3 and requests of cost 1: the order is A B B B A B B B.
///
/// A tag is found by binary search in the order and moved within it: four bytes per tenant that
/// waits.
struct FairShares: Sendable {
    private var tags: [Double]
    /// By tenant: in which period its tag was made.
    private var periods: [UInt64]
    /// Grows whenever somebody waits after nobody did.
    private var period: UInt64 = 0
    private var waiting: [Int]
    private let weights: [Double]
    /// Tenants that wait, ascending by tag, then by index.
    private(set) var order: [Int32] = []

    /// `weights`: by tenant, the last for everybody who is not listed.
    init(weights: [Double]) {
        self.weights = weights.map { $0 > 0 && $0.isFinite ? min(max($0, 1e-3), 1e6) : 1 }
        tags = Array(repeating: 0, count: weights.count)
        periods = Array(repeating: 0, count: weights.count)
        waiting = Array(repeating: 0, count: weights.count)
    }

    func depth(of tenant: Int) -> Int { waiting[tenant] }

    /// Requests that wait over the weight: whose queue is longest for its share.
    func crowding(of tenant: Int) -> Double { Double(waiting[tenant]) / weights[tenant] }

    func crowding(of tenant: Int, with more: Int) -> Double {
        Double(waiting[tenant] + more) / weights[tenant]
    }

    mutating func entered(_ tenant: Int) {
        waiting[tenant] += 1
        guard waiting[tenant] == 1 else { return }
        // Nobody waits: old differences are forgotten.
        if order.isEmpty { period &+= 1 }
        forgetOld(tenant)
        if let first = order.first { tags[tenant] = max(tags[tenant], tags[Int(first)]) }
        order.insert(Int32(truncatingIfNeeded: tenant), at: position(of: tenant))
    }

    mutating func left(_ tenant: Int) {
        waiting[tenant] -= 1
        guard waiting[tenant] == 0 else { return }
        let place = position(of: tenant)
        if place < order.count, order[place] == tenant { order.remove(at: place) }
    }

    /// A request of the tenant was dispatched. Costs nothing while nobody waits.
    mutating func served(_ tenant: Int, cost: Double) {
        guard let first = order.first, cost > 0, cost.isFinite else { return }
        let isWaiting = waiting[tenant] > 0
        let place = isWaiting ? position(of: tenant) : 0
        if !isWaiting {
            forgetOld(tenant)
            tags[tenant] = max(tags[tenant], tags[Int(first)])
        }
        tags[tenant] += cost / weights[tenant]
        guard isWaiting, place < order.count, order[place] == tenant else { return }
        order.remove(at: place)
        order.insert(Int32(truncatingIfNeeded: tenant), at: position(of: tenant))
    }

    private mutating func forgetOld(_ tenant: Int) {
        guard periods[tenant] != period else { return }
        periods[tenant] = period
        tags[tenant] = 0
    }

    private func position(of tenant: Int) -> Int {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            let other = Int(order[middle])
            let isBefore = (tags[other], other) < (tags[tenant], tenant)
            if isBefore { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// True if the order is that of the tags and holds just those who wait.
    var isConsistent: Bool {
        let sorted = waiting.indices.filter { waiting[$0] > 0 }.sorted {
            (tags[$0], $0) < (tags[$1], $1)
        }
        return sorted == order.map { Int($0) } && waiting.allSatisfy { $0 >= 0 }
    }
}
