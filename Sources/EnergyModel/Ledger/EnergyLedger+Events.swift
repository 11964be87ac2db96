import InferenceTypes

/// What requests and endpoints do. Each costs a few dozen operations and allocates nothing.
extension EnergyLedger {
    /// `number` tells the request apart from all others; `account`: its row, from
    /// ``AccountTable/index(of:)``.
    public mutating func placed(
        _ demand: RequestWork.Demand, number: UInt64, account: Int, prefill: TimeSpan,
        on endpoint: Int, at now: MonotonicTime
    ) -> RequestWork {
        var work = clocks[endpoint].placed(demand, prefill: prefill, at: now)
        work.number = number
        work.account = account
        accounts.update(account) { $0.requests += 1 }
        return work
    }

    public mutating func firstToken(
        _ work: inout RequestWork, on endpoint: Int, at now: MonotonicTime
    ) {
        clocks[endpoint].firstToken(&work, at: now)
    }

    public mutating func progressed(
        _ work: inout RequestWork, tokens: Int, on endpoint: Int, at now: MonotonicTime
    ) {
        clocks[endpoint].progressed(&work, tokens: tokens, at: now)
    }

    public mutating func settlePaces(_ models: [EndpointModel]) {
        for index in clocks.indices { clocks[index].settlePace(on: models[index]) }
    }

    /// The request is off the endpoint; its share waits for the windows to close.
    public mutating func left(
        _ work: inout RequestWork, request: RequestID, isAnswered: Bool, usage: Usage,
        on endpoint: Int, at now: MonotonicTime
    ) {
        clocks[endpoint].left(&work, isAnswered: isAnswered, usage: usage, at: now)
        for place in metersOf[endpoint] {
            let since = books[place.meter].marks[place.position]
            let model = clocks[endpoint].model
            let weight = weight(of: work, since: since, on: endpoint, model) + work.extra
            let residency = (now - max(work.placedAt, since.at)).nanoseconds
            books[place.meter].note(
                MeterBook.EndedShare(
                    request: request, number: work.number, account: work.account,
                    position: place.position, weight: max(weight, 0),
                    residency: max(residency, 0)),
                most: mostUnsettled)
        }
    }

    /// Whether an endpoint is awake, and since when. One that sleeps, or has just woken, says
    /// nothing of its idle power.
    public mutating func setAwake(since: MonotonicTime?, _ endpoint: Int) {
        awakeSince[endpoint] = since
    }

    public mutating func foreign(
        _ sequences: Int, on endpoint: Int, _ model: EndpointModel, at now: MonotonicTime
    ) {
        clocks[endpoint].setForeign(sequences, on: model, at: now)
    }
}
