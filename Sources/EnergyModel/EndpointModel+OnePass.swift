import InferenceTypes

/// Predictions for requests that generate nothing: embeddings and classifications.
extension EndpointModel {
    /// Prefill alone: `energy = c_p (Lin - cached)`, `TTFT = H + Q + pre`.
    /// Worked, H100, 1 155 tokens: 27.3 J and 5 + 52.5 = 57.5 ms.
    func prefillOnlyEstimate(_ size: RequestSize, on load: EndpointLoad) -> Estimate {
        let prefill = prefillTime(of: size)
        let answer = parameters.overhead + load.queuedPrefill + prefill
        let energy = prefillEnergyPerToken.value * Double(size.uncachedInputTokens)
        let gap =
            load.batch == 0
            ? TimeSpan.zero : runningGapBesidePrefill(prefill: prefill, on: load)
        return Estimate(
            marginalEnergy: Joules(energy), timeToFirstToken: answer,
            runningInterTokenLatency: gap, duration: answer,
            energyDeviation: Joules(energy * prefillDeviation),
            provenance: provenance(batch: load.batch))
    }

    private func runningGapBesidePrefill(
        prefill: TimeSpan, on load: EndpointLoad
    ) -> TimeSpan {
        let nothing = RequestSize(inputTokens: 0, outputTokens: 0)
        var disturbed = load
        disturbed.prefillUtilisation +=
            prefill.seconds / max(parameters.prefillWindow.seconds, 0.001)
        // As the sequences see it themselves: the last of them joining the others.
        disturbed.batch -= 1
        return generationEstimate(nothing, on: disturbed).interTokenLatency
    }

    /// One forward pass for a batch. Items that wait are merged into the next pass, `M` at most:
    ///
    ///     passes(N) = N div M full ones and one of N mod M
    ///     energy    = E(passes(B + n)) - E(passes(B))
    ///     TTFT      = H + tau of all passes over B + n items
    ///
    /// Worked, ATOM CA22 (buckets 1, 4, 8, ... 64; P0 = 18.8 W): one item alone
    /// 18.2 W x 1.595 ms = 0.02903 J; the fourth to three others 0 J; 64 together
    /// 51.2 W x 25 ms = 1.28 J, 0.02 J each, after 5 + 25 = 30 ms.
    func onePassEstimate(_ size: RequestSize, on load: EndpointLoad) -> Estimate {
        let after = passes(over: saturatingSum(load.batch, size.sequences))
        let before = passes(over: load.batch)
        let answer = parameters.overhead + after.time
        return Estimate(
            marginalEnergy: after.energy - before.energy, timeToFirstToken: answer,
            duration: answer,
            energyDeviation: Joules(
                max(after.energy.value - before.energy.value, 0)
                    * curve.deviation(batch: saturatingSum(load.batch, size.sequences))),
            provenance: provenance(batch: saturatingSum(load.batch, size.sequences)))
    }

    private func passes(over items: Int) -> (time: TimeSpan, energy: Joules) {
        let full = Double(items / curve.capacity)
        let rest = items % curve.capacity
        let time =
            full * curve.iterationTime(batch: curve.capacity).seconds
            + curve.iterationTime(batch: rest).seconds
        let energy =
            full * curve.energyAboveIdle(batch: curve.capacity).value
            + curve.energyAboveIdle(batch: rest).value
        return (TimeSpan(seconds: time), Joules(energy))
    }
}
