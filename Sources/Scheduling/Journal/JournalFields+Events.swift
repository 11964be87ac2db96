import InferenceTypes

// What happened. A test counts the fields.

extension Scheduler.TokenProgress: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&request)
        try coder.code(&outputTokens)
    }
    static var blank: Self { Self(request: .blank, outputTokens: 0) }
}

extension Scheduler.Completion: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&outcome)
        try coder.code(&usage)
    }
    static var blank: Self { Self(outcome: .completed) }
}

extension Scheduler.CacheReport: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&promptTokens)
        try coder.code(&cachedPromptTokens)
        try coder.code(&room)
    }
    static var blank: Self { Self() }
}

extension Scheduler.ScrapedLoad: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&running)
        try coder.code(&waiting)
        try coder.code(&kvUsage)
        try coder.code(&cache)
        try coder.code(&at)
    }
    static var blank: Self { Self(running: 0, waiting: 0, at: .zero) }
}

extension Plan.Drainable: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&endpoint)
        try coder.code(&since)
        try coder.code(&saving)
        try coder.code(&breakEven)
    }
    static var blank: Self { Self(endpoint: .blank, since: .zero, saving: .zero, breakEven: .zero) }
}

extension DemandRate: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&sequences)
        try coder.code(&inputTokens)
        try coder.code(&outputTokens)
        try coder.code(&interTokenLatency)
    }
    static var blank: Self { Self() }
}

extension Plan: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&awake)
        try coder.code(&drainable)
        try coder.code(&expected)
        try coder.code(&required)
    }
    static var blank: Self { Self(awake: []) }
}

/// The kinds of outcome and of failure, which have values of their own.
private enum OutcomeKind: UInt8, CaseIterable, JournalChoice {
    case completed, cancelled, failed

    var journalCode: UInt8 { rawValue }

    init(_ outcome: Scheduler.Completion.Outcome) {
        switch outcome {
        case .completed: self = .completed
        case .cancelled: self = .cancelled
        case .failed: self = .failed
        }
    }
}

extension Scheduler.Completion.Outcome: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        var kind = OutcomeKind(self)
        try coder.choice(&kind)
        switch kind {
        case .completed: self = .completed
        case .cancelled: self = .cancelled
        case .failed:
            var failure = UpstreamFailure.blank
            if case .failed(let known) = self { failure = known }
            try coder.code(&failure)
            self = .failed(failure)
        }
    }
    static var blank: Self { .completed }
}

private enum FailureKind: UInt8, CaseIterable, JournalChoice {
    case connectFailed, closedBeforeHeaders, timeout, saturated, serverError, malformed, cut
    case clientError

    var journalCode: UInt8 { rawValue }

    init(_ failure: UpstreamFailure) {
        switch failure {
        case .connectFailed: self = .connectFailed
        case .closedBeforeHeaders: self = .closedBeforeHeaders
        case .timeout: self = .timeout
        case .saturated: self = .saturated
        case .serverError: self = .serverError
        case .malformed: self = .malformed
        case .cut: self = .cut
        case .clientError: self = .clientError
        }
    }
}

extension UpstreamFailure: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        var kind = FailureKind(self)
        try coder.choice(&kind)
        switch kind {
        case .connectFailed: self = .connectFailed
        case .closedBeforeHeaders: self = .closedBeforeHeaders
        case .malformed: self = .malformed
        case .cut: self = .cut
        case .timeout:
            var phase = Phase.firstByte
            if case .timeout(let known) = self { phase = known }
            try coder.choice(&phase)
            self = .timeout(phase)
        case .saturated:
            var retryAfter: TimeSpan?
            if case .saturated(let known) = self { retryAfter = known }
            try coder.code(&retryAfter)
            self = .saturated(retryAfter: retryAfter)
        case .serverError:
            var status = 0
            if case .serverError(let known) = self { status = known }
            try coder.integer(&status)
            self = .serverError(status: status)
        case .clientError:
            var status = 0
            if case .clientError(let known) = self { status = known }
            try coder.integer(&status)
            self = .clientError(status: status)
        }
    }
    static var blank: Self { .connectFailed }
}
