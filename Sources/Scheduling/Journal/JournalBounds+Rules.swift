import InferenceTypes

/// The numbers of the scheduler's rules, by the names that people know them by: a gateway's start
/// fails with them.
extension JournalBounds {
    /// The first one that is out of bounds, and its bounds; `nil`: none.
    static func problem(ofRules configuration: Scheduler.Configuration) -> String? {
        problem(ofCounts: configuration) ?? problem(ofSpans: configuration)
            ?? problem(ofShares: configuration)
            ?? outOfBounds(
                [
                    ("shortest answer of lenient promises",
                        configuration.guardBand.lenientShortestAnswer),
                    ("shortest answer of strict promises",
                        configuration.guardBand.strictShortestAnswer),
                    ("joules per gigabyte of context", configuration.model.kvJoulesPerGigabyte),
                ], 0...1e6)
            ?? outOfBounds(
                configuration.tenants.enumerated().map { ("tenants[\($0)].weight", $1.weight) },
                Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude)
    }

    private static func problem(ofCounts configuration: Scheduler.Configuration) -> String? {
        let limits = configuration.limits
        return outOfBounds(
            [
                ("limits.queued_requests", limits.queuedRequests),
                ("limits.attempts", limits.attempts),
                ("limits.unsettled_requests", limits.unsettledRequests),
                ("limits.energy_accounts", limits.energyAccounts),
                ("waiting allowance", configuration.waitingAllowance),
                ("starvation bound", configuration.starvationBound),
                ("breaker's broken in a row", configuration.breaker.brokenInARow),
                ("breaker's unreachable in a row", configuration.breaker.unreachableInARow),
                ("health's healthy in a row", configuration.health.healthyInARow),
                ("health's unhealthy in a row", configuration.health.unhealthyInARow),
                ("filler's most misses", configuration.filler.mostMisses),
            ], 0...1 << 20)
            ?? outOfBounds([("limits.remembered_prefixes", limits.rememberedPrefixes)], 0...1 << 22)
            ?? outOfBounds(
                [("affinity.tokens_per_endpoint", configuration.affinity.tokensPerEndpoint ?? 0)],
                0...1 << 32)
    }

    private static func problem(ofSpans configuration: Scheduler.Configuration) -> String? {
        let limits = configuration.limits
        let spans = [
            ("limits.queue_timeout_ms", limits.queueTimeout),
            ("limits.bulk_queue_timeout_ms", limits.bulkQueueTimeout),
            ("limits.retry_window_ms", limits.retryWindow),
            ("affinity.memory_ms", configuration.affinity.memory),
            ("breaker's base ejection", configuration.breaker.baseEjection),
            ("breaker's longest ejection", configuration.breaker.longestEjection),
            ("shortest saturation", configuration.saturation.shortest),
            ("longest saturation", configuration.saturation.longest),
            ("longest saturation asked for", configuration.saturation.longestAskedFor),
            ("slow start's ramp", configuration.slowStart.ramp),
            ("filler's most queued prefill", configuration.filler.mostQueuedPrefill),
            ("filler's open age", configuration.filler.openAge),
            ("filler's force age", configuration.filler.forceAge),
            ("filler's memory", configuration.filler.memory),
            ("overhead", configuration.model.overhead),
            ("prefill window", configuration.model.prefillWindow),
            ("hold after a wake", configuration.wakeHold),
            ("lifetime of foreign load", configuration.foreignLoadLifetime),
        ]
        // An interval of nothing would be due again at once, for ever.
        let intervals = [
            ("patience's interval", configuration.patience.interval),
            ("filler's interval", configuration.filler.interval),
        ]
        return outOfBounds(spans.map { ($0, $1.nanoseconds) }, 0...Int64.max, "ns")
            ?? outOfBounds(intervals.map { ($0, $1.nanoseconds) }, 1...Int64.max, "ns")
    }

    private static func problem(ofShares configuration: Scheduler.Configuration) -> String? {
        let shares = [
            ("slow start's first", configuration.slowStart.initial),
            ("bulk's of the queue", configuration.bulkQueueShare),
            ("patience's lenient", configuration.patience.lenientShare),
            ("patience's strict", configuration.patience.strictShare),
            ("filler's reserve of slots", configuration.filler.slotReserve),
            ("filler's of prefill", configuration.filler.prefillShare),
            ("filler's of clear endpoints", configuration.filler.clearShare),
            ("highest of prefill", configuration.model.highestPrefillShare),
            ("governor's target of misses", configuration.governor.missTarget),
            ("governor's step", configuration.governor.step),
            ("governor's start", configuration.governor.start),
            ("guard's of the first token", configuration.guardBand.timeToFirstTokenShare),
            ("guard's lenient", configuration.guardBand.lenientInterTokenShare),
            ("guard's strict", configuration.guardBand.strictInterTokenShare),
        ]
        return outOfBounds(shares.map { ("share, \($0),", $1) }, 0...1)
    }

    private static func outOfBounds<Number: Comparable>(
        _ numbers: [(String, Number)], _ range: ClosedRange<Number>, _ unit: String = ""
    ) -> String? {
        guard let (name, value) = numbers.first(where: { !range.contains($0.1) }) else {
            return nil
        }
        let suffix = unit.isEmpty ? "" : " " + unit
        return "\(name) is \(value)\(suffix), out of bounds: "
            + "\(range.lowerBound) to \(range.upperBound)\(suffix)"
    }
}
