import InferenceTypes

/// Idle power in both views, and the entries in the books.
extension EnergyLedger {
    /// Where a window's idle energy goes.
    struct Spread {
        /// By position in the meter's endpoints; adds up to the window's idle energy.
        var byPosition: [Int64]
        /// What fell to requests for the time they were there.
        var busy = Microjoules.zero
        /// By account row, what fell to it of the gaps.
        var gaps: [(row: Int, amount: Int64)] = []
    }

    mutating func splitIdle(
        _ figures: Figures, _ shares: inout WindowShares, _ activities: [EndpointActivity],
        _ models: [EndpointModel], _ meter: MeterID, _ now: MonotonicTime
    ) -> Spread {
        let byPosition = idleByPosition(figures.idle, meter.index, models)
        var present = [Int64](repeating: 0, count: byPosition.count)
        for share in shares.shares {
            present[share.position] = present[share.position].addingReportingOverflow(
                share.residency).partialValue
        }
        var busy: Int64 = 0
        let worth = byPosition.indices.map { position -> Double in
            guard present[position] > 0 else { return 0 }
            let part = busyPart(of: byPosition[position], activities[position])
            busy += part
            return Double(part) / 1e6 / Double(present[position])
        }
        splitter.entries.removeAll(keepingCapacity: true)
        for share in shares.shares {
            let joules = worth[share.position] * Double(share.residency)
            splitter.entries.append(
                .init(weight: LargestRemainder.weight(joules: joules), key: share.number))
        }
        busy -= splitter.split(busy)
        for index in shares.shares.indices {
            shares.shares[index].attribution.idle = Microjoules(splitter.entries[index].amount)
        }
        let gap = figures.idle.value - busy
        return Spread(
            byPosition: byPosition, busy: Microjoules(busy),
            gaps: splitGaps(gap, of: meter.index, at: now))
    }

    /// By the idle power of each endpoint; evenly if no profile tells.
    func idleByPosition(
        _ idle: Microjoules, _ meter: Int, _ models: [EndpointModel]
    ) -> [Int64] {
        let ids = meters[meter].endpoints
        var splitter = LargestRemainder()
        let watts = ids.indices.map {
            portions[meter][$0] * idlePower(of: models[ids[$0].index]).value
        }
        let isKnown = watts.contains { $0 > 0 }
        for position in ids.indices {
            splitter.entries.append(
                .init(
                    weight: isKnown ? LargestRemainder.weight(joules: watts[position]) : 1,
                    key: UInt64(position)))
        }
        _ = splitter.split(idle.value)
        return splitter.entries.map(\.amount)
    }

    private func busyPart(of idle: Int64, _ activity: EndpointActivity) -> Int64 {
        let span = activity.span.nanoseconds
        let busy = span - activity.idle.nanoseconds
        guard span > 0, busy > 0, idle > 0 else { return 0 }
        let product = UInt64(idle).multipliedFullWidth(by: UInt64(min(busy, span)))
        return Int64(UInt64(span).dividingFullWidth(product).quotient)
    }

    /// Among the accounts of the meter's pools, by what they used lately. Nobody yet: nothing.
    private mutating func splitGaps(
        _ gap: Int64, of meter: Int, at now: MonotonicTime
    ) -> [(row: Int, amount: Int64)] {
        guard gap > 0 else { return [] }
        splitter.entries.removeAll(keepingCapacity: true)
        let ids = meters[meter].endpoints
        for position in ids.indices {
            let pool = endpoints[ids[position].index].pool
            let isKnown = ids[..<position].contains { endpoints[$0.index].pool == pool }
            guard !isKnown else { continue }
            for row in accounts.used(of: pool.index) {
                let weight = LargestRemainder.weight(joules: accounts.trailing(of: row, at: now))
                splitter.entries.append(.init(weight: weight, key: UInt64(row)))
            }
        }
        _ = splitter.split(gap)
        return splitter.entries.filter { $0.amount > 0 }.map { (Int($0.key), $0.amount) }
    }

    mutating func book(
        _ window: MeterWindow, _ figures: Figures, _ shares: WindowShares, _ spread: Spread,
        at now: MonotonicTime
    ) {
        let meter = window.meter.index
        let isImputed = window.kind == .imputed
        var requests = Microjoules.zero
        var gap = books[meter].gap ?? MeterBook.Gap(start: window.start, end: window.end)
        for share in shares.shares {
            let marginal = share.attribution.marginal
            let idle = share.attribution.idle
            requests += marginal
            accounts.update(share.account) { row in
                row.idleBusy += idle
                if isImputed {
                    row.pending += marginal
                } else {
                    row.active[figures.provenance] += marginal
                }
            }
            accounts.use(share.account, marginal, at: now)
            if isImputed { gap.rows[share.account, default: 0] += marginal.value }
        }
        var spreadIdle = spread.busy
        for (row, amount) in spread.gaps {
            accounts.update(row) { $0.idleGap += Microjoules(amount) }
            spreadIdle += Microjoules(amount)
        }
        let unexplained = figures.active - requests + figures.beyond
        if isImputed {
            gap.end = window.end
            gap.idle += figures.idle
            gap.unexplained += unexplained
            gap.idleLimit += figures.idleLimit
            gap.provenance = gap.provenance.combined(with: figures.provenance)
            books[meter].gap = gap
        } else {
            enterPools(figures.idle, unexplained, figures.provenance, meter, spread.byPosition)
        }
        enter(window, figures, requests, unexplained, spreadIdle)
    }

    private mutating func enter(
        _ window: MeterWindow, _ figures: Figures, _ requests: Microjoules,
        _ unexplained: Microjoules, _ spread: Microjoules
    ) {
        let meter = window.meter.index
        let seconds = window.span.seconds
        books[meter].total += figures.energy
        books[meter].requests += requests
        books[meter].idle += figures.idle
        books[meter].unexplained += unexplained
        books[meter].idleSpread += spread
        books[meter].windows += 1
        books[meter].closedAt = window.end
        books[meter].lastKind = window.kind
        books[meter].power = seconds > 0 ? Watts(figures.energy.joules.value / seconds) : nil
        guard window.kind == .metered else {
            books[meter].pending += figures.energy
            return
        }
        if seconds >= 1, let power = books[meter].power {
            books[meter].floor = min(books[meter].floor ?? power.value, power.value)
        }
        let active = (figures.active + figures.beyond).joules.value
        guard figures.weights > 1 else { return }
        // One of eight meters counts an eighth of what the model says of the whole endpoint.
        let ratio = min(max(active / (figures.weights * portion(of: meter)), 0.1), Self.most)
        books[meter].calibration += (ratio - books[meter].calibration) * 0.2
    }

    /// The mean part of its endpoints that a meter counts; 1 where that is not known.
    private func portion(of meter: Int) -> Double {
        let known = portions[meter].filter { $0 > 0 }
        return known.isEmpty ? 1 : known.reduce(0, +) / Double(known.count)
    }

    private mutating func enterPools(
        _ idle: Microjoules, _ unexplained: Microjoules, _ provenance: Provenance, _ meter: Int,
        _ byPosition: [Int64]
    ) {
        let ids = meters[meter].endpoints
        for position in ids.indices {
            let pool = endpoints[ids[position].index].pool.index
            idleByPool[pool][provenance] += Microjoules(byPosition[position])
        }
        guard let first = ids.first else { return }
        unexplainedByPool[endpoints[first.index].pool.index][provenance] += unexplained
    }

    // MARK: Silences

    /// The counter is back: what it says replaces what was imputed, in the same proportions.
    mutating func recover(_ window: MeterWindow, models: [EndpointModel]) {
        let meter = window.meter.index
        guard let gap = books[meter].gap else { return }
        let idle = min(window.energy, gap.idleLimit)
        splitter.entries.removeAll(keepingCapacity: true)
        for (row, amount) in gap.rows {
            splitter.entries.append(.init(weight: UInt64(max(amount, 0)), key: UInt64(row)))
        }
        splitter.entries.append(
            .init(weight: UInt64(max(gap.unexplained.value, 0)), key: .max))
        let active = window.energy - idle
        let claimed = gap.rows.values.reduce(0, +) + gap.unexplained.value
        let believable = Microjoules(Joules(Double(claimed) / 1e6 * Self.most))
        _ = splitter.split(min(active, believable).value)
        var before = Microjoules.zero
        var requests = Microjoules.zero
        for entry in splitter.entries where entry.key != .max {
            let row = Int(entry.key)
            let old = Microjoules(gap.rows[row] ?? 0)
            let amount = Microjoules(entry.amount)
            before += old
            requests += amount
            accounts.update(row) {
                $0.pending = $0.pending - old
                $0.active[window.provenance] += amount
            }
        }
        let unexplained = active - requests
        let imputed = before + gap.idle + gap.unexplained
        books[meter].total = books[meter].total - imputed + window.energy
        books[meter].requests = books[meter].requests - before + requests
        books[meter].idle = books[meter].idle - gap.idle + idle
        books[meter].unexplained = books[meter].unexplained - gap.unexplained + unexplained
        books[meter].pending = books[meter].pending - imputed
        books[meter].gap = nil
        books[meter].lastKind = .recovered
        enterPools(
            idle, unexplained, window.provenance, meter, idleByPosition(idle, meter, models))
    }

    /// What was imputed stands.
    mutating func concede(_ meter: Int, models: [EndpointModel]) {
        guard let gap = books[meter].gap else { return }
        var requests = Microjoules.zero
        for (row, amount) in gap.rows {
            requests += Microjoules(amount)
            accounts.update(row) {
                $0.pending = $0.pending - Microjoules(amount)
                $0.active[gap.provenance] += Microjoules(amount)
            }
        }
        let imputed = requests + gap.idle + gap.unexplained
        books[meter].pending = books[meter].pending - imputed
        books[meter].conceded += imputed
        books[meter].gap = nil
        enterPools(
            gap.idle, gap.unexplained, gap.provenance, meter,
            idleByPosition(gap.idle, meter, models))
    }
}

extension EnergyLedger {
    /// Books that do not add up, one line each; always empty.
    public var imbalances: [String] {
        var broken = books.indices.filter { !books[$0].isBalanced }
            .map { "meter \(meters[$0].name) does not add up" }
        let entries = accounts.entries
        let charged = entries.reduce(Microjoules.zero) { $0 + $1.row.marginal }
        let requests = books.reduce(Microjoules.zero) { $0 + $1.requests }
        if charged != requests {
            broken.append("accounts hold \(charged.value), meters say \(requests.value)")
        }
        let spread = entries.reduce(Microjoules.zero) { $0 + $1.row.idleBusy + $1.row.idleGap }
        let idle = books.reduce(Microjoules.zero) { $0 + $1.idleSpread }
        if spread != idle {
            broken.append("accounts hold \(spread.value) of idle, meters say \(idle.value)")
        }
        return broken
    }
}
