import InferenceTypes
import Scheduling
import Telemetry
import Transport

extension Gateway {
    /// Figures that are read when the metrics page is rendered, not counted.
    func registerCallbacks() {
        // The registry is the gateway's own and must not keep it alive.
        registry.provide(instruments.queueDepth) { [unowned gateway = self] in
            gateway.scheduler.snapshot(at: MonotonicClock.now()).queueDepths.map {
                LabelledValue([$0.serviceClass.rawValue], Double($0.waiting))
            }
        }
        registry.provide(instruments.endpointUp) { [unowned gateway = self] in
            gateway.scheduler.snapshot(at: MonotonicClock.now()).endpoints.map { endpoint in
                LabelledValue(
                    [
                        gateway.directory.pool(endpoint.pool).name,
                        gateway.directory.endpoints[endpoint.id.index].name,
                    ], endpoint.condition.takesRequests ? 1 : 0)
            }
        }
        registry.provide(instruments.energy) { [unowned gateway = self] in
            gateway.energyByUse()
        }
        registry.provide(instruments.endpointDrainable) { [unowned gateway = self] in
            let drainable = Set(
                (gateway.advice.latest?.drainable ?? []).map(\.endpoint.index))
            return gateway.directory.endpoints.map { endpoint in
                LabelledValue(
                    [gateway.directory.pool(endpoint.pool).name, endpoint.name],
                    drainable.contains(endpoint.id.index) ? 1 : 0)
            }
        }
        registry.provide(instruments.classified) { [unowned gateway = self] in
            gateway.classification.outcomes.map { LabelledValue([$0.word], Double($0.count)) }
        }
        registry.provide(instruments.batches) { [unowned gateway = self] in
            Batch.Cause.allCases.map { cause in
                LabelledValue([cause.rawValue], Double(gateway.classification.sum(cause)))
            }
        }
        registry.provide(instruments.journalEvents) { [unowned gateway = self] in
            guard let figures = gateway.scheduler.journalFigures() else { return [] }
            return [
                LabelledValue(["written"], Double(figures.written)),
                LabelledValue(["lost"], Double(figures.lost)),
            ]
        }
        registry.provide(instruments.journalBytes) { [unowned gateway = self] in
            gateway.scheduler.journalFigures().map { [LabelledValue([], Double($0.bytes))] } ?? []
        }
        registry.provide(instruments.power) { [unowned gateway = self] in gateway.powerByPool() }
        providePowerLimits()
    }

    private func providePowerLimits() {
        func accounts(
            _ watts: @escaping @Sendable (Scheduler.Power.Account) -> Watts
        ) -> @Sendable () -> [LabelledValue] {
            { [unowned gateway = self] in
                let power = gateway.scheduler.snapshot(at: MonotonicClock.now()).power
                return (power?.accounts ?? []).map {
                    LabelledValue([gateway.name(of: $0)], watts($0).value)
                }
            }
        }
        registry.provide(instruments.powerLimit, from: accounts { $0.limit })
        registry.provide(instruments.predictedPower, from: accounts { $0.predicted })
        registry.provide(instruments.powerPressure) { [unowned gateway = self] in
            let power = gateway.scheduler.snapshot(at: MonotonicClock.now()).power
            return power.map { [LabelledValue([], $0.pressure)] } ?? []
        }
    }

    /// A pool's name, or `site`.
    func name(of account: Scheduler.Power.Account) -> String {
        account.pool.map { directory.pool($0).name } ?? "site"
    }

    /// Each pool's meters; a meter that two pools share appears under both names, as one of them
    /// cannot be told from the other.
    private func powerByPool() -> [LabelledValue] {
        let readings = power.latest()
        var values: [LabelledValue] = []
        for pool in configuration.pools {
            var seen: [MeterID] = []
            for meter in pool.endpoints.flatMap(\.meters) where !seen.contains(meter) {
                seen.append(meter)
                guard let reading = readings[meter.index], let watts = reading.power else {
                    continue
                }
                values.append(
                    LabelledValue(
                        [
                            pool.name, configuration.meters[meter.index].name,
                            configuration.meters[meter.index].provenance.rawValue,
                        ], watts.value))
            }
        }
        return values
    }
}

extension EndpointCondition {
    var takesRequests: Bool {
        switch self {
        // Those that sleep are woken if they are needed.
        case .active, .slowStart, .resting, .onTrial, .retiring, .asleep, .waking: true
        case .ejected, .unhealthy, .draining: false
        }
    }
}
