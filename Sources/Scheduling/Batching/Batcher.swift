import InferenceTypes

/// Gathers messages into batches: told what arrived and when, it says which batches to send. No
/// input or output and no clock; each reactor has one, so that nothing is shared.
///
/// Messages wait in lanes, one for each model and group of tenants, and a batch is taken from one
/// lane only: what one tenant sends never travels with another's unless the owner gave both the
/// same group.
///
/// A lane with n messages closes a batch
/// - by **size**, at once, when n is the largest batch;
/// - at the **edge of a bucket** or **alone**, when the messages that will come in the time left
///   (rate x time) cannot fill the next larger bucket: waiting would cost time and save nothing;
/// - by **age**, when its oldest message has waited `maxQueueDelay`;
/// - by **deadline**, when its most urgent message could otherwise not be answered in time.
///
/// While as many batches are under way as places compute, only full and urgent ones close: a
/// batch that would queue anyway grows meanwhile. A lane that preserves the order of arrival has
/// one batch under way at most.
public struct Batcher: Sendable {
    /// A lane, by its number.
    struct Lane: Sendable {
        var model: Int
        var group: Int
        var rate: ArrivalRate
        var waiting = LaneQueue()
        /// Batches that were closed and have not ended.
        var underway = 0
        var isListed = false
    }

    /// What all lanes of a model share.
    struct Line: Sendable {
        var rule: BatchingRule
        /// By group, from `firstGroup` on; -1: none yet.
        var lanes: [Int] = []
        var waiting = 0
        /// Batches that were closed and have not ended.
        var underway = 0
        /// How long a batch has taken of late, from closing to its end.
        var service = TimeSpan.zero
    }

    /// Groups count from here: the anonymous tenant has -1.
    private static let firstGroup = -1

    private var lanes: [Lane] = []
    /// By ``ModelID``; `nil` for those that are not batched.
    private var lines: [Line?]
    /// Lanes in which somebody waits, in the order in which they are looked at.
    private var listed: [Int] = []
    private var wake = MonotonicTime.distantFuture
    /// Which of the listed lanes is looked at first.
    private var turn = 0

    /// `rules` by ``ModelID``.
    public init(rules: [BatchingRule?]) {
        lines = rules.map { rule in rule.map { Line(rule: $0) } }
    }

    public func takes(_ model: ModelID) -> Bool {
        lines.indices.contains(model.index) && lines[model.index] != nil
    }

    /// Messages of a model that wait here.
    public func waiting(_ model: ModelID) -> Int {
        takes(model) ? lines[model.index]?.waiting ?? 0 : 0
    }

    /// Batches of a model that were closed and have not ended.
    public func underway(_ model: ModelID) -> Int {
        takes(model) ? lines[model.index]?.underway ?? 0 : 0
    }

    /// How long a batch of the model has taken of late, from closing to its end.
    public func service(_ model: ModelID) -> TimeSpan {
        takes(model) ? lines[model.index]?.service ?? .zero : .zero
    }

    /// True if so many more messages may wait.
    public func hasRoom(for count: Int, of model: ModelID) -> Bool {
        guard takes(model), let most = lines[model.index]?.rule.maxQueueSize,
            let waiting = lines[model.index]?.waiting
        else { return false }
        return count <= most - waiting
    }

    /// Takes a message in. What comes back is its ticket, for ``forget(_:model:group:)``; `nil` if
    /// as many wait as may, or the model is not batched.
    public mutating func add(
        _ item: Batch.Item, model: ModelID, group: Int, into batches: inout [Batch]
    ) -> Int? {
        guard hasRoom(for: 1, of: model), let number = lane(model.index, group) else {
            return nil
        }
        let ticket = lanes[number].waiting.append(item)
        lanes[number].rate.arrived(at: item.arrival)
        lines[model.index]?.waiting += 1
        if !lanes[number].isListed {
            lanes[number].isListed = true
            listed.append(number)
        }
        if lanes[number].waiting.count >= maxBatchSize(model.index), !isHeld(number) {
            take(maxBatchSize(model.index), from: number, .size, into: &batches)
        }
        return ticket
    }

    /// The owner of a message has left. False if the message waits no longer, or never did.
    public mutating func forget(_ ticket: Int, model: ModelID, group: Int) -> Bool {
        guard takes(model), let number = lane(model.index, group),
            lanes[number].waiting.forget(ticket)
        else { return false }
        lines[model.index]?.waiting -= 1
        return true
    }

    /// What the lanes of a model have cost so far, in messages looked at or moved.
    func steps(_ model: ModelID) -> Int {
        lanes.reduce(0) { $0 + ($1.model == model.index ? $1.waiting.steps : 0) }
    }

    /// Looks at every lane in which somebody waits and closes what is to be closed: at the end of
    /// a turn in which messages came or batches ended, and when ``nextDeadline()`` has come.
    public mutating func close(at now: MonotonicTime, into batches: inout [Batch]) {
        wake = .distantFuture
        var kept = 0
        for place in listed.indices {
            // Whoever is looked at first may take the last free place: each time another one is.
            let number = listed[(place + turn) % listed.count]
            settle(number, at: now, into: &batches)
        }
        for number in listed {
            if lanes[number].waiting.isEmpty {
                lanes[number].isListed = false
            } else {
                listed[kept] = number
                kept += 1
            }
        }
        listed.removeLast(listed.count - kept)
        turn = kept > 0 ? (turn + 1) % kept : 0
    }

    /// When ``close(at:into:)`` is to be called, unless something happens before; `nil`: nobody
    /// waits for a time.
    public func nextDeadline() -> MonotonicTime? { wake == .distantFuture ? nil : wake }

    /// A batch is over, well or badly, `span` after it was closed. `replacements`: batches that
    /// the owner made of it and that are under way in its stead.
    public mutating func ended(
        _ model: ModelID, group: Int, after span: TimeSpan?, replacements: Int = 0
    ) {
        guard takes(model), let number = lane(model.index, group) else { return }
        lanes[number].underway += replacements - 1
        lines[model.index]?.underway += replacements - 1
        guard let span, let before = lines[model.index]?.service else { return }
        // An eighth of each new figure: a few batches are enough to follow a change.
        let change = (span - before).nanoseconds / 8
        lines[model.index]?.service = before == .zero
            ? span : before + TimeSpan(nanoseconds: change)
    }

    // MARK: One lane

    private func maxBatchSize(_ model: Int) -> Int { lines[model]?.rule.maxBatchSize ?? 1 }

    /// True if the lane keeps its order and one of its batches is under way.
    private func isHeld(_ number: Int) -> Bool {
        lanes[number].underway > 0 && lines[lanes[number].model]?.rule.preservesOrder == true
    }

    private mutating func lane(_ model: Int, _ group: Int) -> Int? {
        let place = group - Self.firstGroup
        guard place >= 0, let known = lines[model]?.lanes.count else { return nil }
        if place < known, let number = lines[model]?.lanes[place], number >= 0 { return number }
        return addLane(model, group, at: place)
    }

    private mutating func addLane(_ model: Int, _ group: Int, at place: Int) -> Int? {
        guard let line = lines[model] else { return nil }
        let missing = place + 1 - line.lanes.count
        if missing > 0 {
            lines[model]?.lanes += Array(repeating: -1, count: missing)
        }
        // Long enough for a steady figure, short enough to forget a burst.
        let window = max(
            TimeSpan(nanoseconds: line.rule.maxQueueDelay.nanoseconds / 2 * 5),
            .milliseconds(5))
        lines[model]?.lanes[place] = lanes.count
        lanes.append(Lane(model: model, group: group, rate: ArrivalRate(window: window)))
        return lanes.count - 1
    }

    private mutating func settle(
        _ number: Int, at now: MonotonicTime, into batches: inout [Batch]
    ) {
        let model = lanes[number].model
        guard let rule = lines[model]?.rule else { return }
        while !lanes[number].waiting.isEmpty {
            guard let cause = cause(number, rule, at: now) else { return }
            let count = min(lanes[number].waiting.count, rule.maxBatchSize)
            take(rule.share(of: count), from: number, cause, into: &batches)
        }
    }

    /// Why the lane closes a batch now; `nil` if it waits, and `wake` then knows until when.
    private mutating func cause(
        _ number: Int, _ rule: BatchingRule, at now: MonotonicTime
    ) -> Batch.Cause? {
        let model = lanes[number].model
        guard let line = lines[model], let oldest = lanes[number].waiting.oldestArrival(),
            !isHeld(number)
        else { return nil }
        let count = lanes[number].waiting.count
        if count >= rule.maxBatchSize { return .size }
        let urgent = lanes[number].waiting.mostUrgent(service: line.service)
        // What is overdue cannot be saved by haste; it is answered as undecided.
        let isUrgent = urgent > now && urgent != .distantFuture
        let latest = isUrgent ? urgent - line.service : .distantFuture
        if latest <= now { return .deadline }
        // Nobody is kept from a place by what others alone have under way: from there on class and
        // promise decide.
        guard line.underway < rule.concurrentBatches || lanes[number].underway == 0 else {
            wake = min(wake, latest)
            return nil
        }
        let aged = oldest + rule.maxQueueDelay
        if aged <= now { return .age }
        let until = min(aged, latest)
        let expected = lanes[number].rate.perSecond(at: now) * (until - now).seconds
        let reach = Double(count) + min(expected, Double(rule.maxBatchSize))
        if let next = rule.buckets.first(where: { $0.size > count }),
            Double(next.size) <= reach
        {
            wake = min(wake, until)
            return nil
        }
        return rule.filled(by: count)?.size == count && count > 1 ? .bucketEdge : .alone
    }

    /// Closes a batch of the lane's oldest messages.
    private mutating func take(
        _ count: Int, from number: Int, _ cause: Batch.Cause, into batches: inout [Batch]
    ) {
        let model = lanes[number].model
        let items = lanes[number].waiting.take(count)
        lines[model]?.waiting -= items.count
        lines[model]?.underway += 1
        lanes[number].underway += 1
        batches.append(
            Batch(
                model: ModelID(model), group: lanes[number].group, items: items, cause: cause))
    }
}
