import EnergyModel
import InferenceTypes
import Telemetry

/// The books of energy as they are shown: in metrics and on the admin page.
extension Gateway {
    func energyByUse() -> [LabelledValue] {
        EnergyByUse(
            pool: { self.word(self.instruments.pools, self.directory.pool($0).name) },
            model: { self.word(self.instruments.models, self.directory.modelName($0)) },
            tenant: { self.word(self.instruments.tenants, self.directory.tenantName($0)) }
        ).values(of: scheduler.energy())
    }

    /// A name as far as the label keeps it.
    private func word(_ values: LabelValues, _ name: String) -> String {
        values.position(of: name) == LabelValues.other ? "other" : name
    }
}

extension AdminHandler {
    /// Every meter's book and what each pool, model, tenant and class has used, in both views.
    func energy() -> [String: Any] {
        let statement = gateway.scheduler.energy()
        let now = plane.reactor.now
        let meters = statement.meters.enumerated().map { index, meter in
            entry(meter, gateway.configuration.meters[index].provenance, index, at: now)
        }
        let balanced = statement.meters.allSatisfy {
            $0.requests + $0.idle + $0.unexplained == $0.total
        }
        let directory = gateway.directory
        return [
            "meters": meters, "balanced": balanced,
            "pools": accounts(statement) { gateway.configuration.pools[$0.pool.index].name },
            "models": accounts(statement) { directory.modelName($0.model) },
            "tenants": accounts(statement) { directory.tenantName($0.tenant) },
            "classes": accounts(statement) { $0.serviceClass.rawValue },
        ]
    }

    private func entry(
        _ meter: EnergyStatement.Meter, _ provenance: Provenance, _ index: Int,
        at now: MonotonicTime
    ) -> [String: Any] {
        var entry: [String: Any] = [
            "name": meter.name, "scope": meter.scope.rawValue, "provenance": provenance.rawValue,
            "endpoints": meter.endpoints.map(\.index), "joules": meter.total.joules.value,
            "microjoules": [
                "total": meter.total.value, "requests": meter.requests.value,
                "idle": meter.idle.value, "unexplained": meter.unexplained.value,
            ],
            "idle_charged_joules": meter.idleSpread.joules.value,
            "imputed_joules": meter.pending.joules.value,
            "conceded_joules": meter.conceded.joules.value,
            "windows": meter.windows, "windows_refused": meter.refused,
        ]
        if let closedAt = meter.closedAt {
            entry["window_age_seconds"] = (now - closedAt).seconds
        }
        if let power = meter.power { entry["watts"] = power.value }
        let integrator = plane.desk.integrators[index]
        entry["state"] = integrator.state.rawValue
        entry["resets"] = integrator.resets
        entry["readings_rejected"] = integrator.rejected
        return entry
    }

    private func accounts(
        _ statement: EnergyStatement, by name: (AccountTable.Key) -> String
    ) -> [[String: Any]] {
        var sums: [String: AccountTable.Row] = [:]
        var order: [String] = []
        for (key, row) in statement.accounts {
            let name = name(key)
            if sums[name] == nil { order.append(name) }
            sums[name, default: AccountTable.Row()].add(row)
        }
        return order.compactMap { name in
            guard let row = sums[name] else { return nil }
            return [
                "name": name, "requests": row.requests,
                "joules_marginal": row.marginal.joules.value,
                "joules_full_cost": row.fullCost.joules.value,
                "idle_joules_while_running": row.idleBusy.joules.value,
                "idle_joules_of_gaps": row.idleGap.joules.value,
                "imputed_joules": row.pending.joules.value,
            ]
        }
    }
}
