import EnergyModel
import InferenceTypes

/// Prefix caches as an energy term: what an endpoint holds of a prompt needs no prefill there.
extension Scheduler {
    /// Looks up what the eligible endpoints hold of the prompt, before a pick among them.
    mutating func recall(_ slot: Int, at now: MonotonicTime) {
        router.recalls = false
        guard affinity.isOn, !requests.records[slot].request.prefix.isEmpty else { return }
        let tokens = requests.records[slot].inputTokens
        router.recalls = affinity.recall(
            requests.records[slot].request.prefix, inputTokens: tokens, among: router.eligible,
            at: now, into: &router.cached)
    }

    /// The request in `slot` goes to endpoint `index`, which has its prompt from now on.
    mutating func remember(_ slot: Int, _ size: RequestSize, on index: Int, at now: MonotonicTime) {
        requests.records[slot].cachedTokens = size.cachedInputTokens
        requests.records[slot].believedTokens = 0
        guard affinity.isOn else { return }
        guard !requests.records[slot].request.prefix.isEmpty else {
            affinity.placed(believed: 0, of: size.inputTokens, on: index)
            return
        }
        let prefix = requests.records[slot].request.prefix
        let held = affinity.held(prefix, inputTokens: size.inputTokens, on: index, at: now)
        requests.records[slot].believedTokens = held
        affinity.placed(believed: held, of: size.inputTokens, on: index)
        affinity.table.use(prefix, on: index, computing: size.uncachedInputTokens, at: now)
    }

    /// A request was answered to the end.
    mutating func learnHits(
        _ slot: Int, _ usage: Usage, on index: Int, at now: MonotonicTime
    ) {
        guard affinity.isOn, !requests.records[slot].request.prefix.isEmpty else { return }
        if let said = usage.cachedInputTokens {
            affinity.observe(
                believed: requests.records[slot].believedTokens, said: said, on: index, at: now)
        }
        affinity.table.answered(
            requests.records[slot].request.prefix, on: index,
            tokens: max(usage.outputTokens ?? 0, 0))
    }

    /// How much of what the endpoint is believed to hold it finds, 0 to 1.
    public func hitFactor(of endpoint: EndpointID, at now: MonotonicTime) -> Double? {
        guard endpoints.indices.contains(endpoint.index) else { return nil }
        return affinity.hitFactor(of: endpoint.index, at: now)
    }
}
