import DequeModule
import InferenceTypes

/// Requests that wait for room. Within a class the tenants share by ``FairShares``; within a tenant
/// and model the first in is the first out, so that a model without room does not hold up another.
/// It holds table slots; bodies stay with the reactors.
///
/// Each lane is sorted by arrival number, so a request that comes back after a failed attempt
/// takes its old place.
struct AdmissionQueue: Sendable {
    struct Ticket: Hashable, Sendable {
        var number: UInt64
        var slot: Int
    }

    /// Whose lane, and which.
    struct Lane: Hashable, Sendable {
        var rank: Int
        var model: ModelID
        var tenant: TenantID
    }

    /// So many requests of each model are looked at for one that may use an endpoint.
    static let scanBound = 32

    private var lanes: [Deque<Ticket>]
    private var shares: [FairShares]
    private let models: Int
    /// The last one stands for everybody who is not listed.
    private let tenants: Int
    private let bound: Int
    private let bulkBound: Int
    private(set) var count = 0
    /// By rank of the class.
    private(set) var depths = Array(repeating: 0, count: ServiceClass.allCases.count)

    /// `weights`: of the listed tenants.
    init(models: Int, weights: [Double] = [], bound: Int, bulkShare: Double) {
        self.models = max(models, 0)
        tenants = weights.count + 1
        self.bound = max(bound, 0)
        let share = bulkShare >= 0 ? min(bulkShare, 1) : 0
        bulkBound = Int(Double(min(self.bound, 1 << 30)) * share)
        let classes = ServiceClass.allCases.count
        lanes = Array(repeating: Deque(), count: self.models * tenants * classes)
        shares = Array(repeating: FairShares(weights: weights + [1]), count: classes)
    }

    private func flow(of tenant: TenantID) -> Int {
        (0..<tenants - 1).contains(tenant.index) ? tenant.index : tenants - 1
    }

    private func index(_ rank: Int, _ model: Int, _ flow: Int) -> Int {
        (rank * models + model) * tenants + flow
    }

    private func index(_ lane: Lane) -> Int {
        index(lane.rank, lane.model.index, flow(of: lane.tenant))
    }

    /// Bulk may fill a part of the queue only, so that it never shuts the others out.
    func hasRoom(for serviceClass: ServiceClass) -> Bool {
        count < bound && (serviceClass != .bulk || depths[serviceClass.rank] < bulkBound)
    }

    mutating func insert(_ ticket: Ticket, in lane: Lane) {
        let index = index(lane)
        lanes[index].insert(ticket, at: position(of: ticket.number, in: index))
        count += 1
        depths[lane.rank] += 1
        shares[lane.rank].entered(flow(of: lane.tenant))
    }

    mutating func remove(number: UInt64, from lane: Lane) {
        let index = index(lane)
        let position = position(of: number, in: index)
        guard position < lanes[index].count, lanes[index][position].number == number else {
            return
        }
        lanes[index].remove(at: position)
        count -= 1
        depths[lane.rank] -= 1
        shares[lane.rank].left(flow(of: lane.tenant))
    }

    /// A request of the class was dispatched, from here or past it. `cost`: its expected engine
    /// work, in whatever unit.
    mutating func served(rank: Int, tenant: TenantID, cost: Double) {
        guard depths[rank] > 0 else { return }
        shares[rank].served(flow(of: tenant), cost: cost)
    }

    /// Of a class, the one that `accepts` takes: tenants in the order of their shares, each by
    /// arrival, over some models.
    func first(
        rank: Int, models wanted: [Int], where accepts: (_ slot: Int) -> Bool
    ) -> Ticket? {
        var left = Self.scanBound * wanted.count
        for flow in shares[rank].order {
            var best: Ticket?
            for model in wanted {
                let index = index(rank, model, Int(flow))
                for position in 0..<min(lanes[index].count, left) {
                    let ticket = lanes[index][position]
                    left -= 1
                    guard accepts(ticket.slot) else { continue }
                    if ticket.number < best?.number ?? .max { best = ticket }
                    break
                }
            }
            if best != nil || left <= 0 { return best }
        }
        return nil
    }

    /// The first of a class and model, `scanBound` at most: the first of each tenant in the order
    /// of their shares, then the second of each, and so on. True if there are more.
    func appendFirst(rank: Int, model: Int, to slots: inout [Int]) -> Bool {
        var left = Self.scanBound
        var depth = 0
        while true {
            var isDone = true
            for flow in shares[rank].order {
                let index = index(rank, model, Int(flow))
                guard depth < lanes[index].count else { continue }
                if left == 0 { return true }
                slots.append(lanes[index][depth].slot)
                left -= 1
                isDone = false
            }
            if isDone { return false }
            depth += 1
        }
    }

    /// Who of a class goes first if somebody must: the newest of the tenant whose queue is longest
    /// for its share. For `rival`, a tenant of the same class, only one whose queue would stay the
    /// longer one.
    func last(rank: Int, for rival: TenantID? = nil) -> Ticket? {
        var longest: (flow: Int, crowding: Double)?
        for flow in shares[rank].order {
            let crowding = shares[rank].crowding(of: Int(flow))
            if crowding > longest?.crowding ?? 0 { longest = (Int(flow), crowding) }
        }
        guard let longest else { return nil }
        if let rival {
            let own = flow(of: rival)
            guard own != longest.flow,
                shares[rank].crowding(of: own, with: 1) < longest.crowding
            else { return nil }
        }
        var newest: Ticket?
        for model in 0..<models {
            guard let ticket = lanes[index(rank, model, longest.flow)].last else { continue }
            if ticket.number > newest?.number ?? 0 { newest = ticket }
        }
        return newest
    }

    /// All that wait, most urgent class first, then by model, then by tenant, then by arrival.
    func appendSlots(to slots: inout [Int]) {
        guard count > 0 else { return }
        for lane in lanes { for ticket in lane { slots.append(ticket.slot) } }
    }

    var isConsistent: Bool { shares.allSatisfy(\.isConsistent) }

    /// Where `number` is in its lane, or would be.
    private func position(of number: UInt64, in lane: Int) -> Int {
        var low = 0
        var high = lanes[lane].count
        // Mostly a newcomer: it goes to the end.
        if let last = lanes[lane].last, last.number < number { return high }
        while low < high {
            let middle = (low + high) / 2
            if lanes[lane][middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
