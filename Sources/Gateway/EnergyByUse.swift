import EnergyModel
import InferenceTypes
import Telemetry

/// The books as samples of one counter: by pool, model, tenant, kind and provenance.
///
/// Final figures only, so that none ever falls: what is imputed while a meter is silent appears
/// once it is settled. All kinds together are what the meters counted.
struct EnergyByUse {
    /// Names as far as the labels keep them.
    var pool: (PoolID) -> String
    var model: (ModelID) -> String
    var tenant: (TenantID) -> String

    private struct Key: Hashable {
        var labels: [String]
    }

    func values(of statement: EnergyStatement) -> [LabelledValue] {
        var sums: [Key: Microjoules] = [:]
        var order: [Key] = []
        func add(_ labels: [String], _ amounts: AccountTable.ByProvenance) {
            for provenance in Provenance.allCases where amounts[provenance].value > 0 {
                let key = Key(labels: labels + [provenance.rawValue])
                if sums[key] == nil { order.append(key) }
                sums[key, default: .zero] += amounts[provenance]
            }
        }
        for (key, row) in statement.accounts {
            add([pool(key.pool), model(key.model), tenant(key.tenant), "request"], row.active)
        }
        for index in statement.idleByPool.indices {
            let name = pool(PoolID(index))
            add([name, "", "", "idle"], statement.idleByPool[index])
            add([name, "", "", "unexplained"], statement.unexplainedByPool[index])
        }
        return order.map { LabelledValue($0.labels, (sums[$0] ?? .zero).joules.value) }
    }
}
