import EnergyModel
import InferenceTypes

/// One request that was admitted and has not ended. It holds no reference, so that to copy it is to
/// copy bytes; what few requests have stands beside it, see ``RequestTable``.
struct RequestRecord: Sendable {
    enum Phase: Hashable, Sendable {
        /// The slot is free. Next: `queued` or `running`, with another request.
        case vacant
        /// Waits for room. Next: `running`, or `vacant` by rejection or withdrawal.
        case queued
        /// Out at an endpoint, at this position of its running set. Next: `vacant`; or, when
        /// the attempt fails with nothing sent, `running` elsewhere or `queued`.
        case running(endpoint: Int, position: Int)
    }

    var phase = Phase.vacant
    var request: InferenceRequest
    /// Order of arrival: never reused, unlike the slot.
    var number: UInt64
    var arrival: MonotonicTime
    /// When it leaves the queue at the latest.
    var deadline: MonotonicTime
    var objective: LatencyObjective
    var inputTokens: Int
    /// Expected, of one sequence.
    var outputTokens: Int
    var sequences: Int
    /// Prefill time predicted at the endpoint where it runs.
    var prefill = TimeSpan.zero
    /// Input tokens that it is expected to find cached there, and those that the table promised.
    var cachedTokens = 0
    var believedTokens = 0
    var attempts = 0
    var lastFailure: UpstreamFailure?
    var firstTokenAt: MonotonicTime?
    /// Output tokens so far, as the reactors told.
    var progress = 0
    /// At its placement the promised first token was still to be had.
    var isAttainable = true
    /// False once it must take the next place that there is.
    var mayWait = true
    var isTrial = false
    /// It waits since a power limit lets nobody take it.
    var lacksPower = false
    var work = RequestWork()
    var timing = RequestTiming()
    /// The table has more of it.
    fileprivate(set) var hasMore = false

    @inline(__always)
    var id: RequestID { request.id }

    @inline(__always)
    var lane: AdmissionQueue.Lane {
        AdmissionQueue.Lane(
            rank: request.serviceClass.rank, model: request.model, tenant: request.tenant)
    }

    @inline(__always)
    var sawFirstToken: Bool { firstTokenAt != nil }
}

/// Records in slots, found by request id.
struct RequestTable: Sendable {
    /// Free slots keep their last record, marked vacant.
    var records: [RequestRecord] = []
    private var free: [Int] = []
    private var slots = SlotIndex()
    /// By slot, of the few whose record says so.
    private var more: [Int: More] = [:]

    private struct More: Sendable {
        /// Endpoints that failed it: not asked again. Saturated ones are not among them.
        var tried: [Int] = []
        /// What it has cost until it left its last endpoint, if it wants to know.
        var charge: RequestEnergy?
    }

    var count: Int { records.count - free.count }

    func slot(of id: RequestID) -> Int? { slots.slot(of: id) }

    mutating func insert(_ record: consuming RequestRecord) -> Int {
        precondition(slots.slot(of: record.id) == nil, "request id in use")
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            records[slot] = record
        } else {
            slot = records.count
            records.append(record)
        }
        slots.insert(records[slot].id, slot: slot)
        return slot
    }

    mutating func remove(slot: Int) {
        records[slot].phase = .vacant
        if records[slot].hasMore { more[slot] = nil }
        slots.remove(records[slot].id)
        free.append(slot)
    }

    // MARK: What few have

    @inline(__always)
    func hasTried(_ endpoint: Int, by slot: Int) -> Bool {
        records[slot].hasMore && more[slot]?.tried.contains(endpoint) == true
    }

    mutating func noteTried(_ endpoint: Int, by slot: Int) {
        records[slot].hasMore = true
        more[slot, default: More()].tried.append(endpoint)
    }

    @inline(__always)
    func charge(of slot: Int) -> RequestEnergy? {
        records[slot].hasMore ? more[slot]?.charge : nil
    }

    mutating func setCharge(_ energy: RequestEnergy, of slot: Int) {
        records[slot].hasMore = true
        more[slot, default: More()].charge = energy
    }
}
