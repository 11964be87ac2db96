import InferenceTypes
import Scheduling

/// What operators have: a target of sequences in flight per endpoint, as horizontal pod
/// autoscalers do it. More endpoints are switched on at once, fewer only after the largest number
/// that was wanted within the cool-down has come down.
public struct ReactiveAutoscaler: Hashable, Sendable {
    /// How often it looks.
    public var interval = TimeSpan.seconds(5)
    /// Sequences in flight per endpoint.
    public var target: Double
    public var coolDown: TimeSpan
    /// Endpoints beyond the target.
    public var spare: Int

    private struct Wish: Hashable, Sendable {
        var at: MonotonicTime
        var count: Int
    }

    private var wishes: [Wish] = []

    public init(target: Double, coolDown: TimeSpan, spare: Int = 0) {
        self.target = target
        self.coolDown = coolDown
        self.spare = spare
    }

    mutating func plan(_ input: PlanningInput, at now: MonotonicTime) -> Plan {
        let inFlight = input.endpoints.reduce(0) { $0 + $1.sequences } + input.waiting
        let wanted = Int((Double(inFlight) / max(target, 1)).rounded(.up)) + spare
        wishes.removeAll { $0.at <= now - coolDown }
        wishes.append(Wish(at: now, count: wanted))
        let most = wishes.reduce(1) { max($0, $1.count) }
        return Plan(awake: input.endpoints.indices.map { $0 < most })
    }
}
