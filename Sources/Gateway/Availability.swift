import InferenceTypes
import Synchronization

/// The pools that can serve requests at the moment: they decide what `/v1/models` lists.
final class Availability: Sendable {
    private let pools = Mutex<Set<PoolID>>([])

    func load() -> Set<PoolID> { pools.withLock { $0 } }

    func store(_ available: Set<PoolID>) { pools.withLock { $0 = available } }
}
