import InferenceTypes

/// One engine step in flight, or a run of equal decode steps with the same sequences. Nothing
/// changes between the steps of a run, so it is one item until somebody submits or cancels.
struct Step: Sendable {
    let start: MonotonicTime
    /// Of one step, ns, at least 1.
    let duration: Int64
    /// Steps in the run; 1 whenever something prefills.
    var planned: Int
    /// Steps of the run whose tokens are out.
    var done = 0
    let watts: Double
    /// Sequences that decode, or encode in one pass.
    let batch: Int
    /// Input tokens that the step works on.
    let chunkTokens: Int
    /// Share of the duration that is prefill, 0 ... 1.
    let prefillTimeShare: Double
    /// Share of the energy that is prefill, 0 ... 1.
    let prefillEnergyShare: Double

    func end(of steps: Int) -> MonotonicTime {
        let (span, overflow) = duration.multipliedReportingOverflow(by: Int64(steps))
        return start + TimeSpan(nanoseconds: overflow ? .max : span)
    }

    var end: MonotonicTime { end(of: planned) }

    /// Steps of the run that are over at `now`.
    func completed(at now: MonotonicTime) -> Int {
        guard now > start else { return 0 }
        return Int(min(Int64(planned), (now - start).nanoseconds / duration))
    }

    /// Steps of the run that began before `now`.
    func begun(before now: MonotonicTime) -> Int {
        guard now > start else { return 0 }
        let elapsed = (now - start).nanoseconds
        let whole = elapsed / duration
        return Int(min(Int64(planned), elapsed % duration == 0 ? whole : whole + 1))
    }
}
