import InferenceTypes

/// What kind of event a record holds. A kind keeps its number, which stands in journals.
public enum JournalEventKind: UInt8, CaseIterable, Hashable, Sendable {
    case arrived = 1
    case firstToken, progress, finished, attemptFailed, withdrawn, probed, scraped
    case powerStateChanged, planned, metered, relabelled, setPolicy, setEndpointState
    case setPowerLimits, drainAll, deadline

    /// Without a default on purpose: a new event has to have a number.
    init(_ event: Scheduler.Event) {
        switch event {
        case .arrived: self = .arrived
        case .firstToken: self = .firstToken
        case .progress: self = .progress
        case .finished: self = .finished
        case .attemptFailed: self = .attemptFailed
        case .withdrawn: self = .withdrawn
        case .probed: self = .probed
        case .scraped: self = .scraped
        case .powerStateChanged: self = .powerStateChanged
        case .planned: self = .planned
        case .metered: self = .metered
        case .relabelled: self = .relabelled
        case .setPolicy: self = .setPolicy
        case .setEndpointState: self = .setEndpointState
        case .setPowerLimits: self = .setPowerLimits
        case .drainAll: self = .drainAll
        case .deadline: self = .deadline
        }
    }
}

extension FieldWriter {
    mutating func event(_ event: Scheduler.Event) {
        bytes.append(JournalEventKind(event).rawValue)
        switch event {
        case .arrived(var request): code(&request)
        case .firstToken(var id), .withdrawn(var id): code(&id)
        case .progress(var tokens): code(&tokens)
        case .finished(var id, var completion):
            code(&id)
            code(&completion)
        case .attemptFailed(var id, var failure):
            code(&id)
            code(&failure)
        case .probed(var id, var isHealthy):
            code(&id)
            flag(&isHealthy)
        case .scraped(var id, var load):
            code(&id)
            code(&load)
        case .powerStateChanged(var id, var state):
            code(&id)
            choice(&state)
        case .planned(var plan): code(&plan)
        case .metered(var windows): code(&windows)
        case .relabelled(var id, var label):
            code(&id)
            word(&label)
        case .setPolicy(var policy): choice(&policy)
        case .setEndpointState(var id, var state):
            code(&id)
            choice(&state)
        case .setPowerLimits(var limits): code(&limits)
        case .drainAll, .deadline: break
        }
    }
}

extension FieldReader {
    mutating func read<Value: JournalFields>(_: Value.Type = Value.self) throws(JournalError)
        -> Value
    {
        var value = Value.blank
        try code(&value)
        return value
    }

    mutating func readChoice<Choice: JournalChoice>(_ first: Choice) throws(JournalError) -> Choice
    {
        var value = first
        try choice(&value)
        return value
    }

    mutating func event() throws(JournalError) -> Scheduler.Event {
        let first = position
        let code = try byte()
        guard let kind = JournalEventKind(rawValue: code) else {
            throw error("\(code) is no kind of event", at: first)
        }
        switch kind {
        case .arrived: return .arrived(try read())
        case .firstToken: return .firstToken(try read())
        case .progress: return .progress(try read())
        case .finished: return .finished(try read(), try read())
        case .attemptFailed: return .attemptFailed(try read(), try read())
        case .withdrawn: return .withdrawn(try read())
        case .probed: return .probed(try read(), healthy: try read())
        case .scraped: return .scraped(try read(), try read())
        case .powerStateChanged:
            return .powerStateChanged(try read(), try readChoice(PowerState.awake))
        case .planned: return .planned(try read())
        case .metered: return .metered(try read())
        case .relabelled: return .relabelled(try read(), label: try read())
        case .setPolicy: return .setPolicy(try readChoice(RoutingPolicy.energyAware))
        case .setEndpointState:
            return .setEndpointState(
                try read(), try readChoice(Scheduler.AdministrativeState.active))
        case .setPowerLimits: return .setPowerLimits(try read())
        case .drainAll: return .drainAll
        case .deadline: return .deadline
        }
    }
}
