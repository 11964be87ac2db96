import DequeModule
import InferenceTypes

/// Requests that wait for room: first in, first out per class and model, so that a model without
/// room does not hold up another. It holds table slots; bodies stay with the reactors.
///
/// Each lane is sorted by arrival number, so a request that comes back after a failed attempt
/// takes its old place. Fair queues between tenants will replace the lanes behind this door.
struct AdmissionQueue: Sendable {
    struct Ticket: Hashable, Sendable {
        var number: UInt64
        var slot: Int
    }

    /// So many requests of a lane are looked at for one that may use an endpoint.
    static let scanBound = 32

    private var lanes: [Deque<Ticket>]
    private let models: Int
    private let bound: Int
    private let bulkBound: Int
    private(set) var count = 0
    /// By rank of the class.
    private(set) var depths = Array(repeating: 0, count: ServiceClass.allCases.count)

    init(models: Int, bound: Int, bulkShare: Double) {
        self.models = max(models, 0)
        self.bound = max(bound, 0)
        let share = bulkShare >= 0 ? min(bulkShare, 1) : 0
        bulkBound = Int(Double(min(self.bound, 1 << 30)) * share)
        lanes = Array(
            repeating: Deque(), count: self.models * ServiceClass.allCases.count)
    }

    private func lane(_ rank: Int, _ model: Int) -> Int { rank * models + model }

    /// Bulk may fill a part of the queue only, so that it never shuts the others out.
    func hasRoom(for serviceClass: ServiceClass) -> Bool {
        count < bound && (serviceClass != .bulk || depths[serviceClass.rank] < bulkBound)
    }

    mutating func insert(_ ticket: Ticket, rank: Int, model: ModelID) {
        let lane = lane(rank, model.index)
        let position = position(of: ticket.number, in: lane)
        lanes[lane].insert(ticket, at: position)
        count += 1
        depths[rank] += 1
    }

    mutating func remove(number: UInt64, rank: Int, model: ModelID) {
        let lane = lane(rank, model.index)
        let position = position(of: number, in: lane)
        guard position < lanes[lane].count, lanes[lane][position].number == number else {
            return
        }
        lanes[lane].remove(at: position)
        count -= 1
        depths[rank] -= 1
    }

    /// The first of a class and model, in order of arrival, that `accepts` takes.
    func first(
        rank: Int, model: Int, where accepts: (_ slot: Int) -> Bool
    ) -> Ticket? {
        let lane = lane(rank, model)
        for position in 0..<min(lanes[lane].count, Self.scanBound) {
            let ticket = lanes[lane][position]
            if accepts(ticket.slot) { return ticket }
        }
        return nil
    }

    /// The first of a lane with a larger number.
    func next(after number: UInt64, rank: Int, model: Int) -> Ticket? {
        let lane = lane(rank, model)
        let position = position(of: number + 1, in: lane)
        return position < lanes[lane].count ? lanes[lane][position] : nil
    }

    /// The newest of a class.
    func last(rank: Int) -> Ticket? {
        var newest: Ticket?
        for model in 0..<models {
            guard let ticket = lanes[lane(rank, model)].last else { continue }
            if ticket.number > newest?.number ?? 0 { newest = ticket }
        }
        return newest
    }

    /// All that wait, most urgent class first, then by model, then by arrival.
    func appendSlots(to slots: inout [Int]) {
        guard count > 0 else { return }
        for lane in lanes { for ticket in lane { slots.append(ticket.slot) } }
    }

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
