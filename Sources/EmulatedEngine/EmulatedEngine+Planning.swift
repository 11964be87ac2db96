import InferenceTypes

/// What the next step consists of, by kind of engine.
extension EmulatedEngine {
    /// Admits, makes room and puts a step in flight; leaves `step` at `nil` if nothing can run.
    mutating func beginStep(at start: MonotonicTime, into output: inout [EngineOutput]) {
        nextStart = nil
        settle(to: start)
        let chunkTokens: Int
        if prefillRate == 0, admitEncoders(at: start, into: &output) {
            chunkTokens = 0
        } else {
            switch kind {
            case .vllm, .sglang:
                chunkTokens = planMixed(
                    budget: options.maxBatchedTokens, at: start, into: &output)
            case .llamaServer:
                chunkTokens = planMixed(budget: options.ubatchTokens, at: start, into: &output)
            case .vllmRBLN:
                chunkTokens = planExclusive(at: start, into: &output)
            }
        }
        var batch = 0
        for sequence in runningSequences where sequence.role == .decode { batch += 1 }
        guard batch > 0 || chunkTokens > 0 else { return }
        step = makeStep(at: start, batch: batch, chunkTokens: chunkTokens)
    }

    // MARK: GPU and CPU: everything in one step

    private mutating func planMixed(
        budget: Int, at start: MonotonicTime, into output: inout [EngineOutput]
    ) -> Int {
        let hasPreempted = makeRoom()
        var left = budget
        for index in runningSequences.indices where runningSequences[index].isDecoding {
            runningSequences[index].role = .decode
            left -= 1
        }
        // However many decode, prefill is never shut out for good.
        left = max(1, left)
        var chunkTokens = 0
        for index in runningSequences.indices where !runningSequences[index].isDecoding {
            guard left > 0 else { break }
            let chunk = min(left, runningSequences[index].prefillLeft)
            runningSequences[index].role = .prefill(chunk)
            left -= chunk
            chunkTokens += chunk
        }
        while !hasPreempted, left > 0, let index = admitNext(at: start, into: &output) {
            if runningSequences[index].isDecoding {
                runningSequences[index].role = .decode
                left -= 1
                continue
            }
            let chunk = min(left, runningSequences[index].prefillLeft)
            runningSequences[index].role = .prefill(chunk)
            left -= chunk
            chunkTokens += chunk
        }
        return chunkTokens
    }

    // MARK: NPU: one prefill, or one decode

    private mutating func planExclusive(
        at start: MonotonicTime, into output: inout [EngineOutput]
    ) -> Int {
        while let index = admitNext(at: start, into: &output) {
            // Without a prefill rate there is nothing to do alone: it joins the decode.
            guard !runningSequences[index].isDecoding else { continue }
            let chunk = runningSequences[index].prefillLeft
            runningSequences[index].role = .prefill(chunk)
            return chunk
        }
        _ = makeRoom()
        for index in runningSequences.indices { runningSequences[index].role = .decode }
        return 0
    }

    // MARK: Encoders without a prefill rate: one forward pass

    /// Fills a batch with the encoders at the head of the queue. False if there are none.
    private mutating func admitEncoders(
        at start: MonotonicTime, into output: inout [EngineOutput]
    ) -> Bool {
        let room = maxSequences - runningSequences.count
        let count = waitingQueue.leadingEncoders(limit: room)
        for _ in 0..<count {
            guard let index = admitNext(at: start, into: &output) else { break }
            runningSequences[index].role = .decode
        }
        return count > 0
    }

    // MARK: Admission

    /// Moves the head of the queue among the running, if it fits; the index it got.
    private mutating func admitNext(
        at start: MonotonicTime, into output: inout [EngineOutput]
    ) -> Int? {
        guard runningSequences.count < maxSequences, let head = waitingQueue.first else {
            return nil
        }
        let blocks = pool.blocks(for: head.contextTokens(after: 0))
        guard pool.fits(blocks), var sequence = waitingQueue.popFirst() else { return nil }
        pool.take(blocks)
        sequence.blocks = blocks
        if !sequence.hasStarted {
            sequence.hasStarted = true
            stepCounters.queueTime.observe(start - sequence.submittedAt)
            lookUp(&sequence)
            output.append(
                .started(
                    id: sequence.id, at: start, cachedTokens: sequence.request.cachedTokens))
        }
        runningSequences.append(sequence)
        return runningSequences.count - 1
    }

    /// Pre-empts the newest sequences until the decodes of the next step find blocks. True if
    /// any had to go.
    private mutating func makeRoom() -> Bool {
        var hasPreempted = false
        while runningSequences.count > 1, growth(after: 1) > pool.free,
            var newest = runningSequences.popLast()
        {
            pool.give(newest.blocks)
            newest.preempt(prefills: prefillRate > 0)
            waitingQueue.prepend(newest)
            stepCounters.preemptions += 1
            hasPreempted = true
        }
        return hasPreempted
    }

    /// Blocks that the decoding sequences will need beyond those they hold.
    private func growth(after steps: Int) -> Int {
        guard pool.blockTokens > 0 else { return 0 }
        var blocks = 0
        for sequence in runningSequences where sequence.isDecoding {
            blocks += pool.blocks(for: sequence.contextTokens(after: steps)) - sequence.blocks
        }
        return blocks
    }

    // MARK: Cost

    private mutating func makeStep(
        at start: MonotonicTime, batch: Int, chunkTokens: Int
    ) -> Step {
        var decode = batch == 0 ? 0 : Double(table.durations[batch])
        var prefill = prefillRate == 0 ? 0 : Double(chunkTokens) / prefillRate * 1e9
        var watts = batch == 0 ? 0 : table.watts[batch]
        var prefillWatts = prefillWatts
        if let limit = options.boardLimit {
            let board = BoardLimit(limit: limit.value, idle: idleWatts)
            (decode, watts) = board.decode(nanoseconds: decode, watts: watts)
            (prefill, prefillWatts) = board.prefill(nanoseconds: prefill, watts: prefillWatts)
        }
        let energy = decode * watts + prefill * prefillWatts
        let isSteady = chunkTokens == 0 && options.noise == 0
        let time = (decode + prefill) * deviation()
        return Step(
            start: start, duration: wholeNanoseconds(time),
            planned: isSteady ? runLength() : 1,
            watts: energy / max(1e-9, decode + prefill) * deviation(),
            batch: batch, chunkTokens: chunkTokens,
            prefillTimeShare: prefill / max(1e-9, decode + prefill),
            prefillEnergyShare: energy > 0 ? prefill * prefillWatts / energy : 0)
    }

    /// How many equal decode steps follow if nobody submits or cancels: until the first
    /// sequence is through, or one step if blocks are short.
    private func runLength() -> Int {
        var steps = Int.max
        for sequence in runningSequences { steps = min(steps, max(1, sequence.remaining)) }
        return steps > 1 && growth(after: steps) > pool.free ? 1 : steps
    }

    /// A factor around 1, uniform, with the options' standard deviation.
    private mutating func deviation() -> Double {
        guard options.noise > 0 else { return 1 }
        let width = 2 * options.noise * 3.0.squareRoot()
        return max(0.05, 1 + width * (random.nextUnit() - 0.5))
    }
}
