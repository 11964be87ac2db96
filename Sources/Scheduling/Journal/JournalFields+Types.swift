import InferenceTypes

// Every stored property of a type stands here, in its order: a test counts them.

extension TimeSpan: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&nanoseconds)
    }
    static var blank: Self { .zero }
}

extension MonotonicTime: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&nanoseconds)
    }
    static var blank: Self { .zero }
}

extension Watts: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&value)
    }
    static var blank: Self { .zero }
}

extension Joules: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&value)
    }
    static var blank: Self { .zero }
}

extension Microjoules: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&value)
    }
    static var blank: Self { .zero }
}

extension PoolID: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&index)
    }
    static var blank: Self { Self(0) }
}

extension EndpointID: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&index)
    }
    static var blank: Self { Self(0) }
}

extension MeterID: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&index)
    }
    static var blank: Self { Self(0) }
}

extension TenantID: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&index)
    }
    static var blank: Self { Self(0) }
}

extension ModelID: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&index)
    }
    static var blank: Self { Self(0) }
}

extension RequestID: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&rawValue)
    }
    static var blank: Self { Self(0) }
}

extension LatencyObjective: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&timeToFirstToken)
        try coder.code(&interTokenLatency)
    }
    static var blank: Self { Self() }
}

extension Usage: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&inputTokens)
        try coder.code(&outputTokens)
        try coder.code(&cachedInputTokens)
    }
    static var blank: Self { Self() }
}

/// By what it shows: its marks one after the other.
extension PromptPrefix: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        var whole = bytes
        try coder.integer(&whole)
        var marks = count
        try coder.length(&marks)
        var read = PromptPrefix(bytes: whole)
        for index in 0..<marks {
            var mark = index < count ? self[index] : Mark(hash: 0, bytes: 0)
            try coder.word(&mark.hash)
            try coder.integer(&mark.bytes)
            if Coder.reads { read.append(mark) }
        }
        if Coder.reads { self = read }
    }
    static var blank: Self { Self() }
}

extension InferenceRequest: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&id)
        try coder.code(&tenant)
        try coder.code(&model)
        try coder.choice(&task)
        try coder.choice(&serviceClass)
        try coder.code(&streams)
        try coder.code(&promptBytes)
        try coder.code(&mediaParts)
        try coder.code(&maxOutputTokens)
        try coder.code(&choices)
        try coder.code(&objective)
        try coder.code(&reportsEnergy)
        try coder.code(&prefix)
        try coder.code(&session)
    }
    static var blank: Self { Self(id: .blank, model: .blank, task: .chat, promptBytes: 0) }
}

extension MeterWindow: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&meter)
        try coder.code(&start)
        try coder.code(&end)
        try coder.code(&energy)
        try coder.choice(&provenance)
        try coder.choice(&kind)
    }
    static var blank: Self {
        Self(meter: .blank, start: .zero, end: .zero, energy: .zero, provenance: .assumed)
    }
}

extension Profile.Knot: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&batch)
        try coder.code(&iterationTime)
        try coder.code(&power)
        try coder.choice(&provenance)
    }
    static var blank: Self {
        Self(batch: 0, iterationTime: .zero, power: .zero, provenance: .assumed)
    }
}

extension Profile: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&name)
        try coder.code(&model)
        try coder.code(&accelerator)
        try coder.choice(&provenance)
        try coder.code(&idlePower)
        try coder.code(&sleepPower)
        try coder.code(&wakeTime)
        try coder.code(&wakeEnergy)
        try coder.code(&maxBatch)
        try coder.code(&prefillTokensPerSecond)
        try coder.code(&prefillPower)
        try coder.code(&weightsGigabytes)
        try coder.code(&kvKilobytesPerToken)
        try coder.choice(&meterScope)
        try coder.code(&decodeBuckets)
        try coder.code(&knots)
    }
    static var blank: Self {
        Self(
            name: "", model: "", accelerator: "", provenance: .assumed, idlePower: .zero,
            sleepPower: .zero, wakeTime: .zero, wakeEnergy: .zero, maxBatch: 0,
            prefillTokensPerSecond: 0, prefillPower: .zero, weightsGigabytes: 0,
            kvKilobytesPerToken: 0, meterScope: .accelerator, decodeBuckets: [], knots: [])
    }
}

extension Limits: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&requestBodyBytes)
        try coder.code(&uriBytes)
        try coder.code(&headerListBytes)
        try coder.code(&headerFields)
        try coder.code(&trailerFields)
        try coder.code(&trailerBytes)
        try coder.code(&chunkExtensionBytes)
        try coder.code(&jsonDepth)
        try coder.code(&messagesPerRequest)
        try coder.code(&bodyBudgetBytes)
        try coder.code(&connections)
        try coder.code(&concurrentStreams)
        try coder.code(&streamBufferBytes)
        try coder.code(&streamCoalescingMicroseconds)
        try coder.code(&outboundFrames)
        try coder.code(&responseBudgetBytes)
        try coder.code(&glitches)
        try coder.code(&glitchesPerSecond)
        try coder.code(&earlyReset)
        try coder.code(&earlyResetStreams)
        try coder.code(&earlyResetPercent)
        try coder.code(&handshakeTimeout)
        try coder.code(&headerTimeout)
        try coder.code(&firstRequestTimeout)
        try coder.code(&bodyTimeout)
        try coder.code(&bodyTotalTimeout)
        try coder.code(&idleTimeout)
        try coder.code(&stallTimeout)
        try coder.code(&stallBytes)
        try coder.code(&drainTimeout)
        try coder.code(&upstreamConnectTimeout)
        try coder.code(&upstreamFirstByteTimeout)
        try coder.code(&upstreamBetweenBytesTimeout)
        try coder.code(&upstreamTotalTimeout)
        try coder.code(&upstreamIdleTimeout)
        try coder.code(&upstreamConnectionsPerEndpoint)
        try coder.code(&upstreamHeaderBytes)
        try coder.code(&eventBytes)
        try coder.code(&unaryBufferBytes)
        try coder.code(&attempts)
        try coder.code(&retryWindow)
        try coder.code(&batchRetries)
        try coder.code(&queuedRequests)
        try coder.code(&queueTimeout)
        try coder.code(&bulkQueueTimeout)
        try coder.code(&rememberedPrefixes)
        try coder.code(&unsettledRequests)
        try coder.code(&energyAccounts)
        try coder.code(&journalBufferBytes)
    }
    static var blank: Self { Self() }
}
