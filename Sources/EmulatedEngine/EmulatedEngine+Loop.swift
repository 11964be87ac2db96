import InferenceTypes

/// Time: finishing the steps that are over and beginning the next ones.
extension EmulatedEngine {
    mutating func run(to now: MonotonicTime, into output: inout [EngineOutput]) {
        finishWaking(at: now, into: &output)
        while true {
            if let current = step {
                report(current, until: now, into: &output)
                guard let step, step.done == step.planned else { break }
                endStep()
            } else {
                guard let start = nextStart, start < now else { break }
                beginStep(at: start, into: &output)
                if step == nil { break }
            }
        }
        clock = max(clock, now)
    }

    /// A run of equal steps ends early, with the step in flight, since something has changed.
    mutating func truncateRun(at now: MonotonicTime) {
        guard var current = step else { return }
        current.planned = min(current.planned, max(current.begun(before: now), current.done))
        step = current
        if current.planned == current.done { endStep() }
    }

    private mutating func endStep() {
        guard let current = step else { return }
        settle(to: current.end)
        step = nil
        let isIdle = runningSequences.isEmpty && waitingQueue.isEmpty
        nextStart = isIdle ? nil : current.end
        for index in runningSequences.indices { runningSequences[index].role = .none }
        removeFinished()
    }

    /// Books the energy of the present state up to `now`, to the engine and to its requests.
    mutating func settle(to now: MonotonicTime) {
        guard now > settledAt else { return }
        let seconds = (now - settledAt).seconds
        defer { settledAt = now }
        guard let step else {
            settledEnergy.add(restEnergy(from: settledAt, to: now))
            return
        }
        let energy = seconds * step.watts
        settledEnergy.add(step, energy: energy)

        let prefill = energy * step.prefillEnergyShare
        let decode = step.batch == 0 ? 0 : (energy - prefill) / Double(step.batch)
        let perToken = step.chunkTokens == 0 ? 0 : prefill / Double(step.chunkTokens)
        let prefillSeconds = seconds * step.prefillTimeShare
        let decodeSeconds = (seconds - prefillSeconds) / Double(max(1, step.batch))
        var decoders = 0
        var tokens = 0
        for index in runningSequences.indices {
            switch runningSequences[index].role {
            case .none: break
            case .decode:
                decoders += 1
                runningSequences[index].energy.decode += Joules(decode)
                runningSequences[index].energy.busySeconds += decodeSeconds
            case .prefill(let count):
                tokens += count
                runningSequences[index].energy.prefill += Joules(perToken * Double(count))
                runningSequences[index].energy.busySeconds +=
                    prefillSeconds * Double(count) / Double(max(1, step.chunkTokens))
            }
        }
        orphanedEnergy += Joules(
            decode * Double(step.batch - decoders)
                + perToken * Double(step.chunkTokens - tokens))
    }
}
