import InferenceTypes

/// What one engine iteration costs while `batch` sequences decode: its time, the power drawn
/// meanwhile and the energy above idle, `E*(B) = (P(B) - P0) x tau(B)`, with `E*(0) = 0`.
///
/// The values for every whole batch from 0 to ``capacity`` are computed once, so that a look-up
/// is an array read. Larger batches read the last entry: the engine holds the rest back.
///
/// Two things are kept from going down as the batch grows, because a step that gets faster or
/// cheaper by more work is noise of the measurement, and a greedy router would chase it: the
/// iteration time and the energy above idle. Power is left as measured; on some accelerators it
/// does fall while the time rises.
///
/// Worked, Llama-3.1-8B on one H100 (P0 = 120 W): tau(1) = 6.841 ms, P(1) = 406 W,
/// E*(1) = 286 W x 6.841 ms = 1.957 J. tau(8) = 7.461 ms, P(8) = 486.5 W, E*(8) = 2.734 J: the
/// next seven sequences together cost 0.78 J per step, less than half of the first one.
/// tau(64) = 12.426 ms, P(64) = 610.4 W, E*(64) = 6.094 J.
public struct IterationCurve: Sendable {
    /// Most sequences that one step can run: the profile's maximum, or its largest bucket.
    public let capacity: Int
    public private(set) var idlePower: Watts
    /// By batch, 0 to ``capacity``. One array, so that a copy of the model is one reference.
    @usableFromInline
    private(set) var rows: [Row]

    @usableFromInline
    struct Row: Sendable {
        var bucket: Int
        @usableFromInline var time: TimeSpan
        var power: Watts
        @usableFromInline var energy: Joules
        @usableFromInline var provenance: Provenance
        /// Relative standard deviation of the energy.
        @usableFromInline var deviation: Double
        /// `exp(-B / 4)`, which every placement asks for.
        @usableFromInline var solitude: Double
    }

    /// A profile says nothing of how sure it is. By what it says of itself: half for assumptions,
    /// a quarter for what was computed, a tenth for published measurements of another machine.
    static func deviation(_ provenance: Provenance) -> Double {
        switch provenance {
        case .measured: 0.1
        case .modelled: 0.25
        case .assumed: 0.5
        }
    }

    /// A table longer than this is a mistake in a profile.
    static let longestTable = 1 << 16

    public init(_ profile: Profile) {
        let staircase = BucketStaircase(profile.decodeBuckets)
        let most = min(max(profile.maxBatch, 1), Self.longestTable)
        capacity = min(most, staircase.largest ?? most)
        idlePower = profile.idlePower
        rows = Self.rows(of: profile, capacity: capacity, staircase: staircase)
    }

    private static func rows(
        of profile: Profile, capacity: Int, staircase: BucketStaircase
    ) -> [Row] {
        let time = LogLogInterpolation(
            profile.knots.map { ($0.batch, $0.iterationTime.seconds) })
        let power = LogLogInterpolation(profile.knots.map { ($0.batch, $0.power.value) })
        let idle = profile.idlePower
        var rows = [
            Row(
                bucket: 0, time: .zero, power: idle, energy: .zero,
                provenance: profile.provenance, deviation: deviation(profile.provenance),
                solitude: 1)
        ]
        var seconds = 0.0
        var joules = 0.0
        for batch in 1...capacity {
            let bucket = staircase.bucket(holding: batch)
            let watts = max(power.value(at: Double(bucket)), idle.value)
            seconds = max(seconds, time.value(at: Double(bucket)))
            joules = max(joules, (watts - idle.value) * seconds)
            let word = provenance(at: Double(bucket), of: profile)
            rows.append(
                Row(
                    bucket: bucket, time: TimeSpan(seconds: seconds), power: Watts(watts),
                    energy: Joules(joules),
                    provenance: word,
                    deviation: deviation(word.combined(with: profile.provenance)),
                    solitude: Self.solitude(batch)))
        }
        return rows
    }

    /// The weaker word of the two knots around `batch`; a prolonged line is modelled at best.
    private static func provenance(at batch: Double, of profile: Profile) -> Provenance {
        guard let first = profile.knots.first, let last = profile.knots.last else {
            return .assumed
        }
        if batch < first.batch { return first.provenance.combined(with: .modelled) }
        var below = first
        for knot in profile.knots {
            if knot.batch == batch { return knot.provenance }
            if knot.batch > batch {
                return below.provenance.combined(with: knot.provenance)
            }
            below = knot
        }
        return last.provenance.combined(with: .modelled)
    }

    @usableFromInline
    static func solitude(_ batch: Int) -> Double {
        Mathematics.exp(-Double(batch) / 4)
    }

    /// `exp(-B / 4)`: how likely it is, by experience, that nobody has joined `B` sequences by the
    /// time they have ended.
    @inlinable
    @inline(__always)
    func solitude(batch: Int) -> Double {
        rows.indices.contains(batch) ? rows[batch].solitude : Self.solitude(batch)
    }

    @inlinable
    @inline(__always)
    func index(_ batch: Int) -> Int { min(max(batch, 0), capacity) }

    /// The batch as which `batch` sequences run: the smallest bucket that holds them.
    public func bucket(holding batch: Int) -> Int { rows[index(batch)].bucket }

    /// tau(B): the time in which every running sequence gains one token. Zero for no batch.
    @inlinable
    @inline(__always)
    public func iterationTime(batch: Int) -> TimeSpan { rows[index(batch)].time }

    /// P(B): what the whole accelerator group draws.
    public func power(batch: Int) -> Watts { rows[index(batch)].power }

    /// P(B) - P0.
    public func powerAboveIdle(batch: Int) -> Watts { rows[index(batch)].power - idlePower }

    /// E*(B) = (P(B) - P0) x tau(B): the energy of one iteration above idle.
    @inlinable
    @inline(__always)
    public func energyAboveIdle(batch: Int) -> Joules { rows[index(batch)].energy }

    @inlinable
    @inline(__always)
    public func provenance(batch: Int) -> Provenance { rows[index(batch)].provenance }

    /// Relative standard deviation of ``energyAboveIdle(batch:)``.
    @inlinable
    @inline(__always)
    public func deviation(batch: Int) -> Double { rows[index(batch)].deviation }

    // MARK: What was learned

    mutating func setIdle(_ power: Watts) {
        idlePower = power
        rows[0].power = power
    }

    mutating func setRow(
        _ batch: Int, time: TimeSpan, energy: Joules, power: Watts, provenance: Provenance,
        deviation: Double
    ) {
        guard rows.indices.contains(batch) else { return }
        rows[batch].time = time
        rows[batch].energy = energy
        rows[batch].power = power
        rows[batch].provenance = provenance
        rows[batch].deviation = deviation
    }
}
