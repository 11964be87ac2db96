import InferenceTypes

/// What becomes of requests that were dispatched.
extension Scheduler {
    mutating func firstToken(
        _ id: RequestID, at now: MonotonicTime, into actions: inout [Action]
    ) {
        guard let slot = requests.slot(of: id) else { return }
        noteFirstToken(slot, at: now, into: &actions)
    }

    private mutating func noteFirstToken(
        _ slot: Int, at now: MonotonicTime, into actions: inout [Action]
    ) {
        guard case .running(let index, _) = requests.records[slot].phase,
            !requests.records[slot].sawFirstToken
        else { return }
        requests.records[slot].firstTokenAt = now
        noteForLearning(firstTokenOf: slot, on: index, at: now)
        ledger.firstToken(&requests.records[slot].work, on: index, at: now)
        endpoints[index].prefill.settled(
            requests.records[slot].prefill,
            isVisible: requests.records[slot].request.streams, at: now)
        endpoints[index].rest.answered()
        if endpoints[index].breaker.answered(
            isTrial: requests.records[slot].isTrial, at: now)
        {
            requests.records[slot].isTrial = false
            returned(index, at: now, into: &actions)
        }
    }

    mutating func progressed(
        _ tokens: [TokenProgress], at now: MonotonicTime, into actions: inout [Action]
    ) {
        for report in tokens {
            guard let slot = requests.slot(of: report.request),
                case .running(let index, let position) = requests.records[slot].phase
            else { continue }
            noteFirstToken(slot, at: now, into: &actions)
            let record = requests.records[slot]
            let produced = max(report.outputTokens, 0)
            noteForLearning(slot, produced: produced, on: index, at: now)
            requests.records[slot].progress = produced
            ledger.progressed(
                &requests.records[slot].work, tokens: produced, on: index, at: now)
            members[index].setRemainingTokens(
                remainingTokens(record, produced: produced), at: position)
            endpoints[index].running = members[index].totals
        }
        ledger.settlePaces(models)
        refreshTimes(at: now)
    }

    /// What answers of its kind that became as long had still to come. As long as too few are
    /// known, the rest of the expectation, and a quarter of it at least: an answer that outlives
    /// it is taken to go on for a while.
    private func remainingTokens(_ record: RequestRecord, produced: Int) -> Int {
        let expected = record.outputTokens * record.sequences
        let each = produced / max(record.sequences, 1)
        if let rest = statistics.expectedRest(
            after: each, of: record.request, inputTokens: record.inputTokens)
        {
            return max(Int(rest.rounded()), 1) * record.sequences
        }
        let remaining = produced < expected ? expected - produced : 0
        return max(remaining, expected / 4)
    }

    /// The request is over, wherever it was.
    mutating func finished(
        _ id: RequestID, _ completion: Completion, at now: MonotonicTime,
        into actions: inout [Action]
    ) {
        guard let slot = requests.slot(of: id) else { return }
        let isAnswered = completion.outcome == .completed
        guard let index = detach(
            slot, isAnswered: isAnswered, usage: completion.usage, at: now)
        else {
            dequeue(slot)
            end(slot)
            return
        }
        charge(slot, into: &actions)
        pace.ended(at: now)
        if isAnswered {
            judge(slot, completion.usage, at: now)
            learnHits(slot, completion.usage, on: index, at: now)
            statistics.learn(
                from: completion.usage, of: requests.records[slot].request,
                sequences: requests.records[slot].sequences)
        }
        let isTrial = requests.records[slot].isTrial
        end(slot)
        switch completion.outcome {
        case .completed: answeredToTheEnd(index, isTrial: isTrial, at: now, into: &actions)
        case .cancelled: if isTrial { endpoints[index].breaker.trialAbandoned() }
        case .failed(let failure):
            failed(index, failure, isTrial: isTrial, at: now, into: &actions)
        }
        report(index, at: now, into: &actions)
        retireIfDone(index, at: now, into: &actions)
        drainQueue(for: index, at: now, into: &actions)
    }

    private mutating func end(_ slot: Int) {
        requests.remove(slot: slot)
        ends += 1
    }

    /// Nothing was sent downstream, so another endpoint may answer: while attempts and time
    /// are left, and never the same endpoint twice, unless it was only saturated.
    mutating func attemptFailed(
        _ id: RequestID, _ failure: UpstreamFailure, at now: MonotonicTime,
        into actions: inout [Action]
    ) {
        guard let slot = requests.slot(of: id), let index = detach(slot, at: now) else {
            return
        }
        let isTrial = requests.records[slot].isTrial
        requests.records[slot].isTrial = false
        let isRepeated = requests.records[slot].lastFailure?.isServerError ?? false
        requests.records[slot].lastFailure = failure
        if failure.verdict != .saturated { requests.noteTried(index, by: slot) }
        // A request on which one endpoint after another errs is rather to blame itself: it counts
        // against the first one only, or a handful like it would take them all out of rotation.
        if isTrial || !isRepeated || !failure.isServerError {
            failed(index, failure, isTrial: isTrial, at: now, into: &actions)
        }
        retry(slot, failure, at: now, into: &actions)
        report(index, at: now, into: &actions)
        retireIfDone(index, at: now, into: &actions)
        drainQueue(for: index, at: now, into: &actions)
    }

    private mutating func retry(
        _ slot: Int, _ failure: UpstreamFailure, at now: MonotonicTime,
        into actions: inout [Action]
    ) {
        let record = requests.records[slot]
        let windowEnd = record.arrival + configuration.limits.retryWindow
        let reason = endReason(slot, else: .upstreamFailed)
        guard failure.verdict != .sound, record.attempts < configuration.limits.attempts,
            now < windowEnd
        else {
            reject(slot, reason, at: now, into: &actions)
            return
        }
        requests.records[slot].deadline = min(record.deadline, windowEnd)
        place(slot, ifHopeless: reason, at: now, into: &actions)
    }

    private mutating func failed(
        _ index: Int, _ failure: UpstreamFailure, isTrial: Bool, at now: MonotonicTime,
        into actions: inout [Action]
    ) {
        switch failure.verdict {
        case .saturated:
            if case .saturated(let retryAfter) = failure {
                endpoints[index].rest.saturated(retryAfter: retryAfter, at: now)
            }
            // It is there, and it says so.
            if endpoints[index].breaker.answered(isTrial: isTrial, at: now) {
                returned(index, at: now, into: &actions)
            }
        case .sound:
            answeredToTheEnd(index, isTrial: isTrial, at: now, into: &actions)
        case .unreachable, .broken:
            let opened = endpoints[index].breaker.failed(
                failure.verdict, isTrial: isTrial, at: now, random: &random)
            if opened {
                affinity.table.forget(index)
                report(index, at: now, into: &actions)
                rejectHopeless(at: now, into: &actions)
            }
        }
    }

    private mutating func answeredToTheEnd(
        _ index: Int, isTrial: Bool, at now: MonotonicTime, into actions: inout [Action]
    ) {
        endpoints[index].rest.answered()
        if endpoints[index].breaker.completed(isTrial: isTrial, at: now) {
            returned(index, at: now, into: &actions)
        }
    }

    /// The endpoint is back: it takes up load little by little.
    mutating func returned(
        _ index: Int, at now: MonotonicTime, into actions: inout [Action]
    ) {
        endpoints[index].slowStart.begin(at: now)
        report(index, at: now, into: &actions)
        drainQueue(for: index, at: now, into: &actions)
    }
}
