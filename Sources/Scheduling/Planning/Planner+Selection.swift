import EnergyModel
import InferenceTypes

/// Which endpoints carry a demand at the fewest watts.
extension Planner {
    /// By endpoint: true if it is one of them. Models are taken in order; an endpoint that is
    /// chosen for one gives the rest of its time to the next.
    ///
    /// Greedy: of all endpoints that can carry some of what is left, the one with the fewest watts
    /// per share of the demand,
    ///
    ///     watts = P(share) - P0 + floor + E_wake / hold
    ///     floor = P0 - Ps where it can sleep and is not chosen yet, else 0
    ///
    /// the last two terms only if it sleeps. Equal ones: who is awake first, then by index.
    func select(
        for demands: [DemandRate], among endpoints: [PlanningInput.Endpoint]
    ) -> [Bool] {
        var chosen = Array(repeating: false, count: costs.count)
        /// Share of an endpoint's time that earlier models take.
        var taken = Array(repeating: 0.0, count: costs.count)
        for (model, asked) in demands.enumerated() {
            let able = servers[model].filter { endpoints[$0].isSound }
            let demand = keepable(asked, by: able)
            let most = able.map { loads[$0].largestShare(of: demand) }
            var left = demand.isNone ? 0 : 1.0
            var used = Array(repeating: false, count: able.count)
            while left > 1e-9 {
                var best: Int?
                var least = Double.infinity
                for (position, index) in able.enumerated() where !used[position] {
                    let share = min(most[position] * (1 - taken[index]), left)
                    guard share > 1e-6 else { continue }
                    let floor = chosen[index] ? 0 : floor(index, endpoints[index].power)
                    let above = loads[index].power(for: demand, share: share).value
                    let watts = (above + floor) / share
                    // A rank below a millionth of a watt decides between equals.
                    let score = watts + rank(endpoints[index].power) * 1e-7
                    if score < least {
                        least = score
                        best = position
                    }
                }
                guard let best else { break }
                let index = able[best]
                let share = min(most[best] * (1 - taken[index]), left)
                used[best] = true
                chosen[index] = true
                taken[index] += most[best] > 0 ? share / most[best] : 0
                left -= share
            }
            keepOne(of: able, endpoints, &chosen)
        }
        return chosen
    }

    /// The demand, without a promised gap that no endpoint keeps even with a single sequence: it is
    /// broken either way, and the load is there all the same.
    private func keepable(_ demand: DemandRate, by able: [Int]) -> DemandRate {
        guard !able.contains(where: { loads[$0].largestShare(of: demand) > 1e-6 }) else {
            return demand
        }
        var rest = demand
        rest.interTokenLatency = nil
        return rest
    }

    /// Nobody asks for the model at the moment: one endpoint stays for whoever comes.
    private func keepOne(
        of able: [Int], _ endpoints: [PlanningInput.Endpoint], _ chosen: inout [Bool]
    ) {
        guard !able.contains(where: { chosen[$0] }) else { return }
        let first = able.min {
            (floor($0, endpoints[$0].power), rank(endpoints[$0].power), $0)
                < (floor($1, endpoints[$1].power), rank(endpoints[$1].power), $1)
        }
        if let first { chosen[first] = true }
    }

    private func floor(_ index: Int, _ power: PowerState) -> Double {
        guard canSleep[index] else { return 0 }
        let saving = costs[index].saving.value
        switch power {
        case .awake, .waking, .retiring: return saving
        case .asleep, .fallingAsleep:
            let hold = max(configuration.minimumOn.seconds, 1)
            return saving + costs[index].wakeJoules.value / hold
        }
    }

    private func rank(_ power: PowerState) -> Double {
        switch power {
        case .awake: 0
        case .waking: 1
        case .retiring: 2
        case .fallingAsleep: 3
        case .asleep: 4
        }
    }
}
