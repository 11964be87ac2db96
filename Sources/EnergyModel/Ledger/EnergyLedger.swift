import InferenceTypes

/// The books of energy: what every endpoint does, and what its meters say of it.
public struct EnergyLedger: Sendable {
    /// A meter and the endpoints that it sees. Several endpoints may share one, and one endpoint
    /// may need several; their scopes do not overlap then.
    public struct Meter: Hashable, Sendable {
        public var name: String
        public var endpoints: [EndpointID]
        public var scope: Profile.MeterScope

        public init(name: String, endpoints: [EndpointID], scope: Profile.MeterScope) {
            self.name = name
            self.endpoints = endpoints
            self.scope = scope
        }
    }

    /// By ``MeterID``.
    public let meters: [Meter]
    /// By ``EndpointID``.
    var clocks: [WorkClock]
    /// By meter, then by position in its endpoints: the activity at its last window's end.
    private var marks: [[EndpointActivity]]

    /// How long an endpoint has been idle before its idle power is all that its meter sees.
    public static let relaxation = TimeSpan.seconds(5)

    public init(meters: [Meter], models: [EndpointModel], at start: MonotonicTime) {
        let clocks = models.map { WorkClock($0, at: start) }
        self.clocks = clocks
        self.meters = meters.map { meter in
            var meter = meter
            meter.endpoints = meter.endpoints.filter { clocks.indices.contains($0.index) }
            return meter
        }
        marks = self.meters.map { $0.endpoints.map { clocks[$0.index].activity } }
    }

    /// What the endpoints of a meter did since its last window ended, by position in
    /// ``Meter/endpoints``; begins anew.
    public mutating func takeActivities(
        of window: MeterWindow, at now: MonotonicTime
    ) -> [EndpointActivity] {
        guard meters.indices.contains(window.meter.index) else { return [] }
        let endpoints = meters[window.meter.index].endpoints
        return endpoints.indices.map { position in
            let index = endpoints[position].index
            clocks[index].advance(to: now)
            var activity = clocks[index].activity.since(marks[window.meter.index][position])
            activity.isQuiet = clocks[index].idleSince.map {
                $0 + Self.relaxation <= window.start
            } ?? false
            marks[window.meter.index][position] = clocks[index].activity
            return activity
        }
    }
}
