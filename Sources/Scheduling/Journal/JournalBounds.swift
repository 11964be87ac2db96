import EnergyModel
import InferenceTypes

/// What a scheduler may be made of by a file. The gateway's own configuration passed its reader; a
/// journal may come from anywhere. These bounds are narrower than those of the configuration, so a
/// gateway holds its head to them, too, before it writes a journal that nobody could read.
enum JournalBounds {
    static let largestCount = 1 << 40
    static let most = 1 << 16
    /// Of models and tenants: there is a governor and a row of accounts for each.
    static let mostPairs = 1 << 16
    /// Of the endpoints' tables together.
    static let mostRows = 4 << 20
    /// No gateway runs for longer: 36 years.
    static let longestRun = TimeSpan(nanoseconds: 1 << 60)

    /// What is wrong with the scheduler that the head describes; `nil`: nothing.
    static func problem(of head: JournalHead) -> String? {
        let configuration = head.configuration
        let counts = [
            configuration.pools.count, configuration.endpoints.count,
            configuration.meters.count, configuration.tenants.count, configuration.modelCount,
        ]
        guard counts.allSatisfy({ (0...most).contains($0) }),
            configuration.modelCount * (configuration.tenants.count + 1) <= mostPairs,
            head.start >= .zero, head.start - .zero <= longestRun
        else {
            return "a fleet of impossible size: \(configuration.pools.count) pools, "
                + "\(configuration.endpoints.count) endpoints, "
                + "\(configuration.meters.count) meters, "
                + "\(configuration.tenants.count) tenants, \(configuration.modelCount) models; "
                + "at most \(most) of each, and \(mostPairs) of models times tenants and the "
                + "anonymous one"
        }
        // Whoever reads them takes one by a class's rank.
        guard configuration.objectives.count == ServiceClass.allCases.count else {
            return "promises for \(configuration.objectives.count) classes of "
                + "\(ServiceClass.allCases.count)"
        }
        for pool in configuration.pools where pool.models.count > most {
            return "a pool of \(pool.models.count) models"
        }
        return problem(of: configuration.endpoints, pools: configuration.pools.count)
            ?? problem(of: configuration.meters, endpoints: configuration.endpoints.count)
            ?? problem(ofRules: configuration)
    }

    /// What no gateway would tell its scheduler; `nil`: nothing. Clients' and servers' own numbers
    /// are not among it: those the scheduler has to bear.
    static func problem(of event: Scheduler.Event, after time: TimeSpan) -> String? {
        guard time >= .zero - longestRun, time <= longestRun else {
            return "an event at an impossible time"
        }
        let isSound =
            switch event {
            case .progress(let reports):
                reports.allSatisfy { (0...largestCount).contains($0.outputTokens) }
            case .scraped(_, let load):
                (0...most).contains(load.running >> 8) && (0...most).contains(load.waiting >> 8)
                    && [load.kvUsage, load.cache.promptTokens, load.cache.cachedPromptTokens]
                        .allSatisfy { ($0 ?? 0).isFinite }
                    && (load.cache.room ?? 0).isFinite
            case .metered(let windows):
                windows.allSatisfy {
                    $0.start <= $0.end && $0.span <= longestRun && $0.end - .zero <= longestRun
                        && $0.start >= .zero - longestRun
                }
            case .setPowerLimits(let limits):
                (limits.pools + [limits.site]).allSatisfy { (0...1e12).contains($0?.value ?? 0) }
                    && (1...1e6).contains(limits.pue) && (0...1).contains(limits.share)
            case .arrived, .firstToken, .finished, .attemptFailed, .withdrawn, .probed,
                .powerStateChanged, .planned, .relabelled, .setPolicy, .setEndpointState,
                .drainAll, .deadline:
                true
            }
        return isSound ? nil : "an event with impossible numbers"
    }

    private static func problem(
        of endpoints: [Scheduler.Configuration.Endpoint], pools: Int
    ) -> String? {
        var rows = 0
        for (index, endpoint) in endpoints.enumerated() {
            let profile = endpoint.profile
            guard (0..<pools).contains(endpoint.pool.index) else {
                return "endpoint \(index) is in no pool"
            }
            guard !profile.knots.isEmpty, profile.knots.count <= most,
                (1...most).contains(profile.maxBatch),
                profile.decodeBuckets.count <= most,
                profile.decodeBuckets.allSatisfy({ (1...most).contains($0) }),
                (0...largestCount).contains(endpoint.maxInFlight ?? 0), endpoint.weight > 0
            else { return "endpoint \(index) has an impossible profile" }
            let numbers =
                [
                    profile.idlePower.value, profile.sleepPower.value, profile.wakeEnergy.value,
                    profile.prefillTokensPerSecond, profile.prefillPower.value,
                    profile.weightsGigabytes, profile.kvKilobytesPerToken, endpoint.weight,
                ] + profile.knots.flatMap { [$0.batch, $0.power.value, $0.iterationTime.seconds] }
            guard numbers.allSatisfy({ $0.isFinite && $0 >= 0 && $0 <= 1e12 }) else {
                return "endpoint \(index) has a profile with impossible numbers"
            }
            rows += profile.maxBatch
        }
        // Every endpoint has a table with a row for each batch.
        return rows <= mostRows ? nil : "tables of \(rows) rows, \(mostRows) at most"
    }

    private static func problem(
        of meters: [Scheduler.Configuration.Meter], endpoints: Int
    ) -> String? {
        for (index, meter) in meters.enumerated() {
            guard meter.endpoints.count <= endpoints,
                meter.endpoints.allSatisfy({ (0..<endpoints).contains($0.index) })
            else { return "meter \(index) sees endpoints that do not exist" }
        }
        return nil
    }
}
