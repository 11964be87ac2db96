import EnergyModel
import InferenceTypes

/// The policy `energy_aware`.
extension Router {
    /// Least marginal joules among those that hold every promise: the request's own and those
    /// given to the sequences already there. If none does, least predicted lateness. A pick that
    /// costs far more than the cheapest endpoint would is marked as worth waiting for.
    mutating func leastEnergy(
        _ demand: Demand, _ endpoints: [EndpointState], _ models: [EndpointModel],
        _ now: MonotonicTime
    ) -> Pick {
        let best =
            demand.size.generates
            ? cheapest(demand, endpoints, models, now)
            : cheapestOfAll(demand, endpoints, models, now)
        let reason: Placement.Reason = best.lateness == 0 ? .leastEnergy : .leastLateness
        var pick = pick(best.index, reason, demand, endpoints, models, now)
        pick.isWorthWaiting =
            best.energy > best.least * Self.worthwhileRatio(pressure: demand.pressure)
            || (best.lateness > 0 && endpoints[best.index].prefillRule == .exclusive)
        return pick
    }

    private struct Cheapest {
        var index: Int
        var lateness = Double.infinity
        var energy = Double.infinity
        /// The joules of whoever would do it for least, promises aside.
        var least = Double.infinity
    }

    /// For requests that generate. Joules are cheap to predict, being sums of what tables hold;
    /// times are not. So times are looked at only of who could win by its joules, and mostly that
    /// is one: whoever is cheapest of all and keeps its promises.
    private mutating func cheapest(
        _ demand: Demand, _ endpoints: [EndpointState], _ models: [EndpointModel],
        _ now: MonotonicTime
    ) -> Cheapest {
        let bound = min(min(endpoints.count, models.count), min(cached.count, energies.count))
        for index in eligible { precondition((0..<bound).contains(index)) }
        let (eligible, recalls, promises) = (eligible, recalls, objectiveGuard)
        // Through pointers, which look at things where they lie: an array's element is copied for
        // a call, and copies were a third of a decision.
        return endpoints.withUnsafeBufferPointer { states in
            models.withUnsafeBufferPointer { costs in
                cached.withUnsafeBufferPointer { cached in
                    energies.withUnsafeMutableBufferPointer { energies in
                        Contest(
                            demand: demand, states: states, costs: costs,
                            cached: recalls ? cached : nil, promises: promises, now: now
                        ).cheapest(of: eligible, &energies)
                    }
                }
            }
        }
    }

    /// What one request would cost where. Its indices have been checked.
    private struct Contest {
        let demand: Demand
        let states: UnsafeBufferPointer<EndpointState>
        let costs: UnsafeBufferPointer<EndpointModel>
        /// `nil`: nobody has any of the prompt.
        let cached: UnsafeBufferPointer<Int>?
        let promises: ObjectiveGuard
        let now: MonotonicTime

        /// `energies`: by endpoint; what was there is overwritten.
        @inline(__always)
        func cheapest(
            of eligible: [Int], _ energies: inout UnsafeMutableBufferPointer<Double>
        ) -> Cheapest {
            var best = Cheapest(index: eligible[0])
            var first = best.index
            for index in eligible {
                let energy = energy(on: index)
                energies[index] = energy
                if energy < best.least { (best.least, first) = (energy, index) }
            }
            if best.least < .infinity, lateness(on: first) == 0 {
                (best.index, best.lateness, best.energy) = (first, 0, best.least)
                return best
            }
            for index in eligible {
                let energy = energies[index]
                if best.lateness == 0, energy >= best.energy { continue }
                let late = lateness(on: index)
                let isBetter =
                    late == best.lateness ? energy < best.energy : late < best.lateness
                if isBetter { (best.index, best.lateness, best.energy) = (index, late, energy) }
            }
            return best
        }

        @inline(__always)
        private func size(on index: Int) -> RequestSize {
            guard let cached else { return demand.size }
            var size = demand.size
            size.cachedInputTokens = min(cached[index], size.inputTokens)
            return size
        }

        @inline(__always)
        private func energy(on index: Int) -> Double {
            let load = states[index].decoding(at: now)
            return costs[index].generationEnergy(
                size(on: index), batch: max(load.batch, 0),
                remainingTokens: max(load.remainingTokens, 0)
            ).value
        }

        private func lateness(on index: Int) -> Double {
            promises.lateness(
                of: costs[index].generationTimes(
                    size(on: index), on: states[index].load(at: now)),
                promised: demand.objective,
                toThoseRunning: states[index].running.tightestObjective,
                outputTokens: demand.size.outputTokens, strictness: demand.strictness)
        }
    }

    /// For requests that generate nothing.
    private func cheapestOfAll(
        _ demand: Demand, _ endpoints: [EndpointState], _ models: [EndpointModel],
        _ now: MonotonicTime
    ) -> Cheapest {
        var best = Cheapest(index: eligible[0])
        for index in eligible {
            let estimate = models[index].estimate(
                size(of: demand, on: index), on: endpoints[index].load(at: now))
            let late = lateness(
                of: estimate, demand,
                toThoseRunning: endpoints[index].running.tightestObjective)
            let energy = estimate.marginalEnergy.value
            best.least = min(best.least, energy)
            let isBetter =
                late == best.lateness ? energy < best.energy : late < best.lateness
            if isBetter { (best.index, best.lateness, best.energy) = (index, late, energy) }
        }
        return best
    }
}
