import InferenceTypes

/// The model again, with what was learned in place of what was believed.
extension EndpointModel {
    /// Rewrites the tables, in place. Takes a few operations per batch of the capacity, so it is
    /// done once per meter window and not per request.
    ///
    /// - Parameters:
    ///   - prior: the model as the profile made it.
    ///   - energy: the learner of all meters; `nil`: energy stays the profile's.
    ///   - time: the endpoint's own; `nil`: times stay the profile's.
    public mutating func rewrite(
        from prior: EndpointModel, endpoint: Int, energy: EnergyLearner?,
        time: inout TimeLearner
    ) {
        let factors = time.factors()
        let figures = energy?.figures(of: endpoint) ?? EnergyLearner.Figures()
        let source = energy?.priors[endpoint] ?? EnergyPrior(prior)
        curve.rewrite(from: prior.curve, source, figures, timeFactors: factors)
        parameters.overhead = TimeSpan(
            seconds: prior.parameters.overhead.seconds * time.overheadFactor)
        prefillRate = prior.prefillRate / max(time.prefillFactor, 0.01)
        prefillEnergyPerToken = JoulesPerToken(
            prior.prefillEnergyPerToken.value * figures.prefill)
        kvEnergyPerStep = prior.kvEnergyPerStep * figures.cache
        prefillDeviation =
            figures.windows > 0 ? figures.prefillDeviation : prior.prefillDeviation
        let isKnown =
            figures.windows >= EnergyLearner.fewestWindows
            && figures.prefillDeviation <= EnergyLearner.measuredDeviation
        profileProvenance = isKnown ? .measured : prior.profileProvenance
    }
}

extension IterationCurve {
    mutating func rewrite(
        from prior: IterationCurve, _ source: EnergyPrior, _ figures: EnergyLearner.Figures,
        timeFactors: [Double]
    ) {
        let idle = max(source.idleWatts * figures.idle, 0)
        setIdle(Watts(idle))
        var seconds = 0.0
        var joules = 0.0
        var rise = 0
        for batch in 1...capacity {
            while rise < source.ends.count - 1, batch > source.ends[rise] { rise += 1 }
            let factor = Self.factor(timeFactors, at: batch)
            seconds = max(seconds, prior.iterationTime(batch: batch).seconds * factor)
            joules += figures.rises[rise] * (source.energy(batch) - source.energy(batch - 1))
            let isKnown =
                figures.windows >= EnergyLearner.fewestWindows
                && figures.deviations[rise] <= EnergyLearner.measuredDeviation
            setRow(
                batch, time: TimeSpan(seconds: seconds), energy: Joules(joules),
                power: Watts(idle + (seconds > 0 ? joules / seconds : 0)),
                provenance: isKnown ? .measured : prior.provenance(batch: batch),
                deviation: figures.windows > 0
                    ? figures.deviations[rise] : prior.deviation(batch: batch))
        }
    }

    /// Straight between the knots 1, 2, 4 ... in the logarithm of the batch.
    private static func factor(_ factors: [Double], at batch: Int) -> Double {
        guard let last = factors.last else { return 1 }
        let place = Mathematics.log2(Double(batch))
        let below = Int(place)
        guard below + 1 < factors.count else { return last }
        let share = place - Double(below)
        return factors[below] + share * (factors[below + 1] - factors[below])
    }
}
