import InferenceTypes

/// A load that rises and falls like a day, with a sudden crowd in it; in shares of a rate.
public struct Tides: Hashable, Sendable {
    /// Everybody comes at once, for a while.
    public struct Crowd: Hashable, Sendable {
        public var start: TimeSpan
        /// The load is multiplied by it.
        public var factor: Double
        /// It takes so long to come, and to go.
        public var rise: TimeSpan
        public var length: TimeSpan

        public init(start: TimeSpan, factor: Double, rise: TimeSpan, length: TimeSpan) {
            self.start = start
            self.factor = factor
            self.rise = rise
            self.length = length
        }

        func multiple(at time: Double) -> Double {
            let since = time - start.seconds
            let left = length.seconds - since
            guard since >= 0, left > 0 else { return 1 }
            let ramp = max(rise.seconds, 1e-3)
            return 1 + (factor - 1) * min(since / ramp, left / ramp, 1)
        }
    }

    public var low: Double
    public var high: Double
    /// From one low tide to the next; it begins with one.
    public var period: TimeSpan
    public var crowd: Crowd?

    public init(
        low: Double = 0.1, high: Double = 0.9, period: TimeSpan = .seconds(7_200),
        crowd: Crowd? = nil
    ) {
        self.low = low
        self.high = high
        self.period = period
        self.crowd = crowd
    }

    public func share(at time: Double) -> Double {
        let turn = Mathematics.cosine(turns: time / max(period.seconds, 1))
        let tide = low + (high - low) * (1 - turn) / 2
        return tide * (crowd?.multiple(at: time) ?? 1)
    }

    /// No share is larger.
    var peak: Double { max(high, low) * max(crowd?.factor ?? 1, 1) }
}

extension Workload {
    /// Adds a service whose load follows the tides: copies of the recorded rows, each shifted and
    /// repeated, laid over one another and thinned to `rate` requests per second times the share
    /// of the moment. So the bursts of the recording stay what they were.
    public mutating func add(
        _ service: Service, rows: [TraceRow], tides: Tides, rate: Double, length: TimeSpan,
        random: inout RandomSource
    ) {
        let index = add(service)
        guard let last = rows.last, last.arrival > .zero, rate > 0 else { return }
        let recorded = Double(rows.count) / last.arrival.seconds
        let period = last.arrival.seconds + 1 / recorded
        let copies = max(Int((tides.peak * rate / recorded).rounded(.up)), 1)
        for _ in 0..<min(copies, 10_000) {
            var offset = -random.nextUnit() * period
            while offset < length.seconds {
                for row in rows {
                    let at = offset + row.arrival.seconds
                    guard at >= 0, at < length.seconds else { continue }
                    let kept = tides.share(at: at) * rate / (Double(copies) * recorded)
                    guard random.nextUnit() < kept else { continue }
                    append(at, index, row)
                }
                offset += period
            }
        }
        sort()
    }
}
