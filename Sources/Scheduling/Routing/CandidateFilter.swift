import InferenceTypes

/// The filters that the configuration alone decides: who serves the model and the task, and
/// which pools a tenant may use.
struct CandidateFilter: Sendable {
    /// By model: endpoints that serve it, ascending.
    private var endpoints: [[Int]]
    /// By model and task: those of them whose pool does the task.
    private var able: [[Int]]
    private let taskCount = InferenceTask.allCases.count
    /// By endpoint: models that it serves, ascending.
    private(set) var models: [[Int]]
    /// By pool: one bit per task.
    private let tasks: [UInt32]
    private let pools: [Int]
    /// By tenant and pool; empty without tenants.
    private let allowed: [[Bool]]

    init(_ configuration: Scheduler.Configuration) {
        let poolCount = configuration.pools.count
        pools = configuration.endpoints.map(\.pool.index)
        tasks = configuration.pools.map {
            $0.tasks.reduce(0) { bits, task in bits | 1 << UInt32(task.ordinal) }
        }
        allowed = configuration.tenants.map { tenant in
            (0..<poolCount).map { tenant.allowedPools?.contains(PoolID($0)) ?? true }
        }
        endpoints = Array(repeating: [], count: max(configuration.modelCount, 0))
        able = []
        models = Array(repeating: [], count: pools.count)
        for model in endpoints.indices {
            for (endpoint, pool) in pools.enumerated()
            where configuration.pools[pool].models.contains(ModelID(model)) {
                endpoints[model].append(endpoint)
                models[endpoint].append(model)
            }
        }
        able = Array(repeating: [], count: endpoints.count * taskCount)
        for model in endpoints.indices {
            for task in InferenceTask.allCases {
                able[model * taskCount + task.ordinal] = endpoints[model].filter {
                    tasks[pools[$0]] & (1 << UInt32(task.ordinal)) != 0
                }
            }
        }
    }

    /// Endpoints that a request may go to at any time, ascending, as far as the configuration
    /// says; `nil`: that hangs on whose it is.
    @inline(__always)
    func all(for task: InferenceTask, of model: ModelID) -> [Int]? {
        guard allowed.isEmpty else { return nil }
        return endpoints.indices.contains(model.index)
            ? able[model.index * taskCount + task.ordinal] : []
    }

    /// Endpoints that serve the model, ascending; none for a model that nobody configured.
    func endpoints(of model: ModelID) -> [Int] {
        endpoints.indices.contains(model.index) ? endpoints[model.index] : []
    }

    /// True if the endpoint's pool may have a request of that kind. The model is not looked at.
    func permits(_ task: InferenceTask, of owner: TenantID, on endpoint: Int) -> Bool {
        let pool = pools[endpoint]
        guard tasks[pool] & (1 << UInt32(task.ordinal)) != 0 else { return false }
        if allowed.isEmpty { return true }
        let tenant = owner.index
        return allowed.indices.contains(tenant) && allowed[tenant][pool]
    }
}
