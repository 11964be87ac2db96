import InferenceTypes
import Synchronization

/// The models that some endpoint can serve at the moment: what `/v1/models` lists.
final class Availability: Sendable {
    private let models = Mutex<Set<ModelID>>([])

    func load() -> Set<ModelID> { models.withLock { $0 } }

    func store(_ available: Set<ModelID>) { models.withLock { $0 = available } }
}
