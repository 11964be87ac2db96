import InferenceTypes

/// What happens when a meter's window closes: work in proportion to the requests it touches.
extension EnergyLedger {
    /// True if the window follows the meter's last one. Late, repeated and empty windows are
    /// refused and counted.
    public mutating func admits(_ window: MeterWindow) -> Bool {
        guard books.indices.contains(window.meter.index) else { return false }
        let closedAt = books[window.meter.index].closedAt
        switch window.kind {
        case .metered, .imputed:
            if window.end > window.start, window.energy.value >= 0,
                closedAt.map({ window.start >= $0 }) ?? true
            { return true }
        case .recovered, .conceded:
            if books[window.meter.index].gap != nil, window.energy.value >= 0 { return true }
        }
        books[window.meter.index].refused += 1
        return false
    }

    /// Adds a running request of the meter's endpoint at `position` to those that it touches.
    public mutating func add(
        _ work: RequestWork, request: RequestID, at position: Int, of meter: MeterID,
        _ model: EndpointModel, at now: MonotonicTime, to shares: inout WindowShares
    ) {
        let mark = books[meter.index].marks[position]
        let endpoint = meters[meter.index].endpoints[position].index
        clocks[endpoint].advance(to: now)
        shares.shares.append(
            WindowShares.Share(
                request: request, number: work.number, account: work.account,
                position: position, weight: weight(of: work, since: mark, on: endpoint, model),
                residency: max((now - max(work.placedAt, mark.at)).nanoseconds, 0)))
        shares.running += 1
    }

    /// Notes what a window added to a request that still runs.
    public func credit(_ attribution: Attribution, to work: inout RequestWork) {
        work.marginal += attribution.marginal
        work.idle += attribution.idle
        let book = books[attribution.meter.index]
        if book.lastKind == .imputed { work.provenance = work.provenance.combined(with: .modelled) }
    }

    /// Books a window that ``admits(_:)``; `shares` holds the running requests of the meter's
    /// endpoints and comes back with everybody's part. Returns what the endpoints did in it, by
    /// position.
    public mutating func close(
        _ window: MeterWindow, _ shares: inout WindowShares, models: [EndpointModel],
        at now: MonotonicTime
    ) -> [EndpointActivity] {
        let meter = window.meter.index
        switch window.kind {
        case .recovered:
            recover(window, models: models)
            return []
        case .conceded:
            concede(meter, models: models)
            return []
        case .metered: concede(meter, models: models)
        case .imputed: break
        }
        let activities = takeActivities(of: window, at: now)
        for share in books[meter].ended {
            shares.shares.append(
                WindowShares.Share(
                    request: share.request, number: share.number, account: share.account,
                    position: share.position, weight: share.weight,
                    residency: share.residency))
        }
        books[meter].ended.removeAll(keepingCapacity: true)
        books[meter].merged.removeAll(keepingCapacity: true)
        for index in shares.shares.indices { shares.shares[index].attribution.meter = window.meter }
        let figures = figures(of: window, shares, activities.foreign, models)
        splitActive(figures, &shares)
        let spread = splitIdle(figures, &shares, activities.activities, models, window.meter, now)
        book(window, figures, shares, spread, at: now)
        for position in meters[meter].endpoints.indices {
            let clock = clocks[meters[meter].endpoints[position].index]
            books[meter].marks[position] = MeterBook.Mark(clock)
            books[meter].activities[position] = clock.activity
        }
        return activities.activities
    }

    /// What the endpoints of a meter did since its last close, and what others' sequences cost.
    private mutating func takeActivities(
        of window: MeterWindow, at now: MonotonicTime
    ) -> (activities: [EndpointActivity], foreign: Double) {
        let meter = window.meter.index
        var foreign = 0.0
        let activities = meters[meter].endpoints.indices.map { position in
            let index = meters[meter].endpoints[position].index
            clocks[index].advance(to: now)
            let mark = books[meter].marks[position]
            var activity = clocks[index].activity.since(books[meter].activities[position])
            activity.isQuiet = [clocks[index].idleSince, awakeSince[index]].allSatisfy { since in
                since.map { $0 + Self.relaxation <= window.start } ?? false
            }
            foreign += clocks[index].foreignEnergy - mark.foreignEnergy
            return activity
        }
        return (activities, foreign)
    }

    /// A window's energy, taken apart.
    struct Figures {
        var energy: Microjoules
        var idle: Microjoules
        /// `P0 dt`.
        var idleLimit: Microjoules
        /// For requests and foreign sequences together.
        var active: Microjoules
        /// Beyond what they can have cost.
        var beyond = Microjoules.zero
        var foreign: Double
        var provenance: Provenance
        /// Sum of the weights, J.
        var weights: Double
    }

    private func figures(
        of window: MeterWindow, _ shares: WindowShares, _ foreign: Double,
        _ models: [EndpointModel]
    ) -> Figures {
        let meter = window.meter.index
        let seconds = window.span.seconds
        var watts = 0.0
        var portion = 0.0
        var provenance = window.provenance
        for (position, id) in meters[meter].endpoints.enumerated() {
            let part = portions[meter][position]
            // In a metered window the meter knows better: it may have slept for a part of it.
            let sleeps = window.kind == .imputed && awakeSince[id.index] == nil
            watts += part * (sleeps
                ? endpoints[id.index].sleepPower : idlePower(of: models[id.index])).value
            portion = max(portion, part)
            if window.kind == .imputed {
                provenance = provenance.combined(with: models[id.index].provenance(batch: 1))
            }
        }
        var scale = portion
        if portion == 0 {
            // No profile tells of this scope: its own past does.
            watts = books[meter].floor ?? 0
            scale = books[meter].calibration
        }
        // In order of weight, so that the sum does not hang on the order of the requests.
        let weights = shares.shares.map(\.weight).sorted().reduce(foreign, +)
        let limit = Microjoules(Joules(watts * seconds))
        var energy = window.energy
        if window.kind == .imputed { energy = limit + Microjoules(Joules(weights * scale)) }
        let idle = min(energy, limit)
        let active = energy - idle
        var figures = Figures(
            energy: energy, idle: idle, idleLimit: limit, active: active, foreign: foreign,
            provenance: provenance, weights: weights)
        let believable = Microjoules(Joules(weights * Self.most * max(portion, 1)))
        if window.kind == .metered, active > believable {
            figures.beyond = active - believable
            figures.active = believable
        }
        return figures
    }

    private mutating func splitActive(_ figures: Figures, _ shares: inout WindowShares) {
        splitter.entries.removeAll(keepingCapacity: true)
        for share in shares.shares {
            splitter.entries.append(
                .init(
                    weight: LargestRemainder.weight(joules: share.weight), key: share.number))
        }
        splitter.entries.append(
            .init(weight: LargestRemainder.weight(joules: figures.foreign), key: .max))
        _ = splitter.split(figures.active.value)
        for index in shares.shares.indices {
            shares.shares[index].attribution.marginal =
                Microjoules(splitter.entries[index].amount)
        }
    }
}
