import EnergyModel
import InferenceTypes

extension Exchange {
    /// The scheduler says what the request has cost.
    func charged(_ energy: RequestEnergy) {}
}
