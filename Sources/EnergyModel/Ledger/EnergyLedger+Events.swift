import InferenceTypes

/// What requests and endpoints do. Each costs a few dozen operations and allocates nothing.
extension EnergyLedger {
    public mutating func placed(
        _ demand: RequestWork.Demand, prefill: TimeSpan, on endpoint: Int, _ model: EndpointModel,
        at now: MonotonicTime
    ) -> RequestWork {
        clocks[endpoint].placed(demand, prefill: prefill, on: model, at: now)
    }

    public mutating func firstToken(
        _ work: inout RequestWork, on endpoint: Int, _ model: EndpointModel, at now: MonotonicTime
    ) {
        clocks[endpoint].firstToken(&work, on: model, at: now)
    }

    public mutating func progressed(
        _ work: inout RequestWork, tokens: Int, on endpoint: Int, at now: MonotonicTime
    ) {
        clocks[endpoint].progressed(&work, tokens: tokens, at: now)
    }

    public mutating func settlePaces(_ models: [EndpointModel]) {
        for index in clocks.indices { clocks[index].settlePace(on: models[index]) }
    }

    public mutating func left(
        _ work: inout RequestWork, isAnswered: Bool, usage: Usage, on endpoint: Int,
        _ model: EndpointModel, at now: MonotonicTime
    ) {
        clocks[endpoint].left(
            &work, isAnswered: isAnswered, usage: usage, on: model, at: now)
    }

    public mutating func foreign(
        _ sequences: Int, on endpoint: Int, _ model: EndpointModel, at now: MonotonicTime
    ) {
        clocks[endpoint].setForeign(sequences, on: model, at: now)
    }
}
