import EnergyModel
import InferenceTypes

/// What another policy would choose, with a random source, cursors and a list of its own, so that
/// asking it changes nothing of the policy in effect. It sees the fleet as the real policy made it:
/// each choice is compared, not what would have become of a whole day under the other policy.
struct ShadowRouter: Sendable {
    private var router: Router

    init(_ router: Router) { self.router = router }

    mutating func choose(
        _ demand: Router.Demand, as other: borrowing Router, _ endpoints: [EndpointState],
        _ models: [EndpointModel], at now: MonotonicTime
    ) -> Placement.Shadow? {
        router.eligible.removeAll(keepingCapacity: true)
        router.eligible.append(contentsOf: other.eligible)
        router.recalls = other.recalls
        if other.recalls {
            for index in other.eligible { router.cached[index] = other.cached[index] }
        }
        guard let pick = router.pick(demand, among: endpoints, models, at: now) else { return nil }
        return Placement.Shadow(
            endpoint: endpoints[pick.endpoint].id,
            marginalEnergy: pick.estimate.marginalEnergy,
            timeToFirstToken: pick.estimate.timeToFirstToken)
    }
}
