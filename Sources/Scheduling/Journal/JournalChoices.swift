import InferenceTypes

// A case keeps its number for as long as journals with it may be read; a new case takes the next.

extension EngineKind: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .vllm: 0
        case .vllmRBLN: 1
        case .llamaServer: 2
        case .sglang: 3
        }
    }
}

extension AcceleratorKind: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .gpu: 0
        case .npu: 1
        case .cpu: 2
        }
    }
}

extension InferenceTask: JournalChoice {
    var journalCode: UInt8 {
        UInt8(ordinal)
    }
}

extension ServiceClass: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .system: 0
        case .interactive: 1
        case .default: 2
        case .bulk: 3
        }
    }
}

extension Provenance: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .measured: 0
        case .modelled: 1
        case .assumed: 2
        }
    }
}

extension RoutingPolicy: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .roundRobin: 0
        case .random: 1
        case .powerOfTwo: 2
        case .leastRequests: 3
        case .leastLoad: 4
        case .leastLatency: 5
        case .energyAware: 6
        case .cacheAware: 7
        case .consistentHash: 8
        }
    }
}

extension Profile.MeterScope: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .accelerator: 0
        case .card: 1
        case .host: 2
        case .wall: 3
        }
    }
}

extension MeterWindow.Kind: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .metered: 0
        case .imputed: 1
        case .recovered: 2
        case .conceded: 3
        }
    }
}

extension PowerState: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .awake: 0
        case .retiring: 1
        case .fallingAsleep: 2
        case .asleep: 3
        case .waking: 4
        }
    }
}

extension Scheduler.AdministrativeState: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .active: 0
        case .draining: 1
        }
    }
}

extension UpstreamFailure.Phase: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .firstByte: 0
        case .betweenBytes: 1
        }
    }
}

extension Placement.Reason: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .onlyCandidate: 0
        case .roundRobin: 1
        case .random: 2
        case .powerOfTwo: 3
        case .leastRequests: 4
        case .leastLoad: 5
        case .leastLatency: 6
        case .leastEnergy: 7
        case .leastLateness: 8
        case .mostCached: 9
        case .consistentHash: 10
        }
    }
}

extension RejectionReason: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .saturated: 0
        case .noEndpoints: 1
        case .ttlExpired: 2
        case .shuttingDown: 3
        case .powerBudget: 4
        case .upstreamFailed: 5
        }
    }
}

extension EndpointCondition: JournalChoice {
    var journalCode: UInt8 {
        switch self {
        case .active: 0
        case .slowStart: 1
        case .resting: 2
        case .onTrial: 3
        case .retiring: 4
        case .asleep: 5
        case .waking: 6
        case .ejected: 7
        case .unhealthy: 8
        case .draining: 9
        }
    }
}
