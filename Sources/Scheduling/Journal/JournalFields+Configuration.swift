import EnergyModel
import InferenceTypes

// What a scheduler is made of, as the head of a journal has it. A test counts the fields.

extension Scheduler.Configuration.Pool: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&name)
        try coder.choice(&engine)
        try coder.choice(&accelerator)
        try coder.code(&models)
        try coder.choices(&tasks)
    }
    static var blank: Self {
        Self(name: "", engine: .vllm, accelerator: .gpu, models: [], tasks: [])
    }
}

extension Scheduler.Configuration.Endpoint: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&pool)
        try coder.code(&profile)
        try coder.code(&weight)
        try coder.code(&maxInFlight)
        try coder.code(&canSleep)
    }
    static var blank: Self { Self(pool: .blank, profile: .blank) }
}

extension Scheduler.Configuration.Tenant: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&allowedPools)
        try coder.code(&weight)
    }
    static var blank: Self { Self() }
}

extension EnergyLedger.Meter: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&name)
        try coder.code(&endpoints)
        try coder.choice(&scope)
    }
    static var blank: Self { Self(name: "", endpoints: [], scope: .accelerator) }
}

extension PowerLimits: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&site)
        try coder.code(&pools)
        try coder.code(&pue)
        try coder.code(&share)
    }
    static var blank: Self { .none }
}

extension CircuitBreaker.Configuration: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&brokenInARow)
        try coder.code(&unreachableInARow)
        try coder.code(&baseEjection)
        try coder.code(&longestEjection)
    }
    static var blank: Self { Self() }
}

extension ProbeHealth.Configuration: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&healthyInARow)
        try coder.code(&unhealthyInARow)
    }
    static var blank: Self { Self() }
}

extension SaturationRest.Configuration: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&shortest)
        try coder.code(&longest)
        try coder.code(&longestAskedFor)
    }
    static var blank: Self { Self() }
}

extension SlowStart.Configuration: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&initial)
        try coder.code(&ramp)
    }
    static var blank: Self { Self() }
}

extension ObjectiveGuard.Configuration: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&timeToFirstTokenShare)
        try coder.code(&lenientInterTokenShare)
        try coder.code(&strictInterTokenShare)
        try coder.code(&lenientShortestAnswer)
        try coder.code(&strictShortestAnswer)
    }
    static var blank: Self { Self() }
}

extension AttainmentGovernor.Configuration: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&missTarget)
        try coder.code(&step)
        try coder.code(&start)
    }
    static var blank: Self { Self() }
}

extension Patience: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&lenientShare)
        try coder.code(&strictShare)
        try coder.code(&interval)
    }
    static var blank: Self { Self() }
}

extension FillerRule: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&isOn)
        try coder.code(&slotReserve)
        try coder.code(&prefillShare)
        try coder.code(&mostQueuedPrefill)
        try coder.code(&clearShare)
        try coder.code(&openAge)
        try coder.code(&forceAge)
        try coder.code(&memory)
        try coder.code(&interval)
        try coder.code(&mostMisses)
    }
    static var blank: Self { Self() }
}

extension EndpointModel.Parameters: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&overhead)
        try coder.code(&prefillWindow)
        try coder.code(&kvJoulesPerGigabyte)
        try coder.code(&highestPrefillShare)
    }
    static var blank: Self { Self() }
}

extension AffinityRule: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&isOn)
        try coder.code(&memory)
        try coder.code(&tokensPerEndpoint)
    }
    static var blank: Self { Self() }
}

extension Scheduler.Configuration: JournalFields {
    mutating func visit<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.code(&pools)
        try coder.code(&endpoints)
        try coder.code(&meters)
        try coder.code(&reportsAttribution)
        try coder.code(&chargesContext)
        try coder.code(&modelCount)
        try coder.code(&tenants)
        try coder.choice(&policy)
        try coder.code(&learns)
        try coder.choice(&shadowPolicy)
        try coder.code(&limits)
        try coder.code(&objectives)
        try coder.code(&waitingAllowance)
        try coder.code(&breaker)
        try coder.code(&health)
        try coder.code(&saturation)
        try coder.code(&slowStart)
        try coder.code(&guardBand)
        try coder.code(&governor)
        try coder.code(&patience)
        try coder.code(&filler)
        try coder.code(&affinity)
        try coder.code(&powerLimits)
        try coder.code(&model)
        try coder.code(&wakesOnDemand)
        try coder.code(&wakeHold)
        try coder.code(&foreignLoadLifetime)
        try coder.code(&bulkQueueShare)
        try coder.code(&starvationBound)
    }
    static var blank: Self { Self(pools: [], endpoints: [], modelCount: 0, objectives: []) }
}
