import EnergyModel
import InferenceTypes

// What was done: only looked at, for the digest. A test counts the fields.

extension Estimate: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&marginalEnergy)
        try coder.code(&timeToFirstToken)
        try coder.code(&interTokenLatency)
        try coder.code(&runningInterTokenLatency)
        try coder.code(&iterationTime)
        try coder.code(&prefillStall)
        try coder.code(&duration)
        try coder.code(&energyDeviation)
        try coder.choice(&provenance)
    }
    static var blank: Self {
        Self(
            marginalEnergy: .zero, timeToFirstToken: .zero, duration: .zero, provenance: .assumed)
    }
}

extension Placement.Shadow: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&endpoint)
        try coder.code(&marginalEnergy)
        try coder.code(&timeToFirstToken)
    }
    static var blank: Self {
        Self(endpoint: .blank, marginalEnergy: .zero, timeToFirstToken: .zero)
    }
}

extension Placement: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&endpoint)
        try coder.code(&attempt)
        try coder.code(&estimate)
        try coder.choice(&reason)
        try coder.code(&candidates)
        try coder.code(&inputTokens)
        try coder.code(&cachedInputTokens)
        try coder.code(&outputTokens)
        try coder.code(&waited)
        try coder.code(&shadow)
    }
    static var blank: Self {
        Self(
            endpoint: .blank, estimate: .blank, reason: .random, candidates: 0, inputTokens: 0,
            outputTokens: 0)
    }
}

extension Rejection: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.choice(&reason)
        try coder.code(&retryAfterSeconds)
        try coder.code(&lastFailure)
        try coder.code(&attempts)
    }
    static var blank: Self { Self(reason: .saturated, retryAfterSeconds: 0) }
}

extension RequestEnergy: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&marginal)
        try coder.code(&total)
        try coder.choice(&provenance)
        try coder.choices(&scopes)
        try coder.code(&isEstimated)
    }
    static var blank: Self {
        Self(
            marginal: .zero, total: .zero, provenance: .assumed, scopes: [], isEstimated: false)
    }
}

extension Attribution: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&meter)
        try coder.code(&marginal)
        try coder.code(&idle)
    }
    static var blank: Self { Self(meter: .blank, marginal: .zero, idle: .zero) }
}

extension Scheduler.Action {
    /// Without a default on purpose: a new action has to say what it consists of.
    func digest(into digest: inout ActionDigest) {
        switch self {
        case .dispatch(var id, var placement):
            digest.mix(1)
            digest.code(&id)
            digest.code(&placement)
        case .queue(var id):
            digest.mix(2)
            digest.code(&id)
        case .reject(var id, var rejection):
            digest.mix(3)
            digest.code(&id)
            digest.code(&rejection)
        case .endpointStateChanged(var id, var condition):
            digest.mix(4)
            digest.code(&id)
            digest.choice(&condition)
        case .sleep(var id):
            digest.mix(5)
            digest.code(&id)
        case .wake(var id):
            digest.mix(6)
            digest.code(&id)
        case .charged(var id, var energy):
            digest.mix(7)
            digest.code(&id)
            digest.code(&energy)
        case .attributed(var id, var attribution):
            digest.mix(8)
            digest.code(&id)
            digest.code(&attribution)
        }
    }
}
