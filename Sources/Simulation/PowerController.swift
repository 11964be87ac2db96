import InferenceTypes
import Scheduling

/// Plays the slow half of scheduling in a simulation.
struct PowerController: Sendable {
    private enum Kind: Sendable {
        case none
        case planner(Planner)
        case autoscaler(ReactiveAutoscaler)
    }

    private var kind: Kind
    let interval: TimeSpan
    /// When it plans next; `distantFuture` if it never does.
    private(set) var next: MonotonicTime

    init(_ control: PowerControl, _ configuration: Scheduler.Configuration) {
        switch control {
        case .alwaysOn:
            kind = .none
            interval = .zero
        case .planner(let settings):
            kind = .planner(Planner(configuration, configuration: settings))
            interval = max(settings.interval, .milliseconds(1))
        case .autoscaler(let autoscaler):
            kind = .autoscaler(autoscaler)
            interval = max(autoscaler.interval, .milliseconds(1))
        }
        next = interval == .zero ? .distantFuture : .zero + interval
    }

    mutating func plan(_ input: PlanningInput, at now: MonotonicTime) -> Plan {
        next = now + interval
        switch kind {
        case .none: return Plan(awake: input.endpoints.map { _ in true })
        case .planner(var planner):
            let plan = planner.plan(input, at: now)
            kind = .planner(planner)
            return plan
        case .autoscaler(var autoscaler):
            let plan = autoscaler.plan(input, at: now)
            kind = .autoscaler(autoscaler)
            return plan
        }
    }
}
