import InferenceTypes

/// What comes out of steps that are over.
extension EmulatedEngine {
    /// Hands out the tokens of the steps of the run that are over at `now`.
    mutating func report(
        _ current: Step, until now: MonotonicTime, into output: inout [EngineOutput]
    ) {
        let completed = current.completed(at: now)
        let steps = completed - current.done
        guard steps > 0 else { return }
        // The energy of the last step has to be booked before its requests say good-bye.
        if completed == current.planned { settle(to: current.end) }
        count(current, steps: steps)
        if options.reporting == .everyToken {
            for done in current.done..<completed {
                reportStep(current, from: done, steps: 1, into: &output)
            }
        } else {
            reportStep(current, from: current.done, steps: steps, into: &output)
        }
        step?.done = completed
    }

    private mutating func count(_ current: Step, steps: Int) {
        stepCounters.iterations += steps
        stepCounters.iterationTokens += steps * current.batch + current.chunkTokens
        stepCounters.iterationSequences += steps * runningSequences.count
        let span = current.end(of: steps) - current.start
        let prefill = TimeSpan(seconds: span.seconds * current.prefillTimeShare)
        stepCounters.prefillTime = stepCounters.prefillTime + prefill
        stepCounters.decodeTime = stepCounters.decodeTime + (span - prefill)
    }

    /// Reports `steps` steps of the run, the ones after the first `done`.
    private mutating func reportStep(
        _ current: Step, from done: Int, steps: Int, into output: inout [EngineOutput]
    ) {
        let end = current.end(of: done + steps)
        for index in runningSequences.indices {
            switch runningSequences[index].role {
            case .none: continue
            case .prefill(let tokens):
                runningSequences[index].prefillLeft -= tokens
                guard runningSequences[index].prefillLeft <= 0 else { continue }
                runningSequences[index].prefillLeft = 0
                completePrefill(at: index)
                emit(1, at: index, first: end, last: end, current, into: &output)
            case .decode:
                let first = current.end(of: done + 1)
                if runningSequences[index].generated == 0 { completePrefill(at: index) }
                emit(steps, at: index, first: first, last: end, current, into: &output)
            }
            finishIfDone(at: index, end, into: &output)
        }
    }

    /// Counts the prompt once; a recomputation after pre-emption is not a new prompt.
    private mutating func completePrefill(at index: Int) {
        guard runningSequences[index].generated == 0 else { return }
        let request = runningSequences[index].request
        stepCounters.promptTokens += request.inputTokens
        stepCounters.cachedPromptTokens += request.cachedTokens
    }

    /// `count` tokens, the first of them at `first`, the last at `last`.
    private mutating func emit(
        _ count: Int, at index: Int, first: MonotonicTime, last: MonotonicTime,
        _ current: Step, into output: inout [EngineOutput]
    ) {
        let sequence = runningSequences[index]
        guard sequence.remaining > 0 else { return }
        if let before = sequence.lastTokenAt {
            stepCounters.interTokenLatency.observe(first - before)
        } else {
            stepCounters.timeToFirstToken.observe(first - sequence.submittedAt)
        }
        let gap = TimeSpan(nanoseconds: current.duration)
        stepCounters.interTokenLatency.observe(gap, times: count - 1)
        stepCounters.generationTokens += count
        let index0 = sequence.generated
        if options.reporting == .everyToken {
            output.append(.tokens(id: sequence.id, firstIndex: index0, count: count, at: last))
        } else if index0 == 0 {
            output.append(.tokens(id: sequence.id, firstIndex: 0, count: 1, at: first))
        }
        runningSequences[index].generated += count
        runningSequences[index].lastTokenAt = last
        grow(at: index)
    }

    private mutating func finishIfDone(
        at index: Int, _ now: MonotonicTime, into output: inout [EngineOutput]
    ) {
        let sequence = runningSequences[index]
        guard sequence.isDecoding, sequence.remaining <= 0 else { return }
        stepCounters.finish(sequence.finishReason)
        stepCounters.endToEndLatency.observe(now - sequence.submittedAt)
        output.append(
            .finished(
                id: sequence.id, reason: sequence.finishReason, at: now,
                energy: sequence.energy))
        runningSequences[index].isFinished = true
        keep(sequence)
    }

    /// Takes the blocks that the context has grown into; planning has seen to it that they
    /// are there.
    private mutating func grow(at index: Int) {
        let needed = pool.blocks(for: runningSequences[index].contextTokens(after: 0))
        let more = needed - runningSequences[index].blocks
        guard more > 0 else { return }
        pool.take(more)
        runningSequences[index].blocks = needed
    }

    mutating func removeFinished() {
        var isAny = false
        for sequence in runningSequences where sequence.isFinished {
            isAny = true
            pool.give(sequence.blocks)
        }
        guard isAny else { return }
        runningSequences.removeAll { $0.isFinished }
        if runningSequences.isEmpty, waitingQueue.isEmpty { nextStart = nil }
    }
}
