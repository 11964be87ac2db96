import EmulatedEngine
import EnergyModel
import InferenceTypes
import Scheduling

/// Plays a workload against a fleet in virtual time: the scheduler of the gateway decides, engines
/// of emulated physics answer. Same inputs, same seed: the same run to the last bit.
///
/// Things that happen at one instant are taken in this order: engines by index, then arrivals,
/// then the scheduler's own deadlines, then plans, then reports of progress.
public struct Simulator: ~Copyable {
    /// How often running requests tell their token counts, as the gateway's reactors do.
    static let progressInterval = TimeSpan.milliseconds(250)

    private let workload: Workload
    private let fleet: SimulatedFleet
    private let director: Director
    private var scheduler: Scheduler
    private var engines: [EmulatedEngine]
    /// By endpoint: when it has something to tell; `distantFuture` for nothing.
    private var wakes: [MonotonicTime]
    private var outcomes: [RequestOutcome]
    private var next = 0
    private var open = 0
    private var now = MonotonicTime.zero
    private var lastEnd = MonotonicTime.zero
    private var decisions = 0
    private var power = PowerSeries(interval: Simulator.progressInterval)
    private var actions: [Scheduler.Action] = []
    private var controller: PowerController
    private var wakeUps = 0
    /// What actions led to.
    private var consequences: [Scheduler.Event] = []
    private var outputs: [EngineOutput] = []
    private var tokens: [Scheduler.TokenProgress] = []
    private var meters: SimulatedMeters

    public init(
        workload: Workload, fleet: SimulatedFleet, director: Director, seed: UInt64,
        metering: SimulatedMetering = SimulatedMetering()
    ) {
        self.workload = workload
        var fleet = fleet
        director.adjustFleet(&fleet)
        self.fleet = fleet
        self.director = director
        var random = RandomSource(seed: seed)
        engines = fleet.engines(random: &random)
        wakes = Array(repeating: .distantFuture, count: engines.count)
        let models = 1 + (workload.services.map(\.model.index).max() ?? 0)
        var configuration = fleet.configuration(
            models: models, tenants: workload.tenantCount, policy: director.policy)
        if case .alwaysOn = director.power {
        } else {
            for index in configuration.endpoints.indices {
                configuration.endpoints[index].canSleep = true
            }
        }
        if director.lengthThreshold != nil {
            configuration.modelCount = 2
            for (index, pool) in fleet.pools.enumerated() {
                configuration.pools[index].models = [ModelID(pool.accelerator == .gpu ? 1 : 0)]
            }
        }
        configuration.reportsAttribution = true
        configuration.learns = metering.learns
        director.adjust(&configuration)
        controller = PowerController(director.power, configuration)
        scheduler = Scheduler(configuration: configuration, seed: random.next())
        outcomes = workload.arrivals.map { RequestOutcome($0) }
        meters = SimulatedMeters(
            metering, endpoints: engines.count, random: RandomSource(seed: random.next()))
    }

    /// Runs to the end of the last request. Energy counts from zero to `horizon`, or to that end
    /// if it comes later.
    public consuming func run(until horizon: MonotonicTime) -> RunRecord {
        for endpoint in director.closed {
            handle(.setEndpointState(EndpointID(endpoint), .draining))
        }
        var progressAt = MonotonicTime.zero + Self.progressInterval
        while next < outcomes.count || open > 0 {
            let arrival =
                next < outcomes.count ? workload.arrivals[next].at : MonotonicTime.distantFuture
            let engine = earliestEngine()
            let deadline = scheduler.nextDeadline() ?? .distantFuture
            let at = min(
                min(min(wakes[engine], arrival), min(deadline, progressAt)),
                min(controller.next, meters.nextAt))
            now = max(now, at)
            if wakes[engine] == at {
                advance(engine)
            } else if arrival == at {
                arrive()
            } else if deadline == at {
                handle(.deadline)
            } else if controller.next == at {
                plan()
            } else if meters.nextAt == at {
                readMeters()
            } else {
                reportProgress()
                let energy = engines.reduce(.zero) { $0 + $1.energyByState(upTo: now).total }
                power.add(energy: energy.value)
                progressAt = progressAt + Self.progressInterval
            }
        }
        // The last windows close, so that everything is booked.
        readMeters(isLast: true)
        return record(until: max(horizon, lastEnd))
    }

    private mutating func readMeters(isLast: Bool = false) {
        for index in engines.indices { advance(index) }
        let readings = meters.read(engines, at: now, isLast: isLast)
        guard !readings.isEmpty else { return }
        handle(.metered(readings.map(\.window)))
        for reading in readings {
            let meter = reading.window.meter
            meters.note(
                reading, foretold: scheduler.prediction(of: meter),
                idle: engines[meter.index].idlePower)
        }
    }

    private func earliestEngine() -> Int {
        var best = 0
        for index in wakes.indices where wakes[index] < wakes[best] { best = index }
        return best
    }

    private mutating func arrive() {
        let arrival = workload.arrivals[next]
        let service = workload.services[arrival.service]
        var model = service.model
        if let threshold = director.lengthThreshold {
            model = ModelID(arrival.inputTokens > threshold ? 1 : 0)
        }
        var request = InferenceRequest(
            id: RequestID(UInt64(next)), tenant: service.tenant, model: model,
            task: service.task, serviceClass: service.serviceClass, streams: true,
            promptBytes: arrival.inputTokens * 4, objective: service.objective)
        if let prompt = arrival.prompt {
            request.prefix = workload.prompts[prompt].prefix
            request.session = workload.prompts[prompt].session
        }
        next += 1
        open += 1
        decisions += 1
        handle(.arrived(request))
    }

    private mutating func handle(_ event: Scheduler.Event) {
        scheduler.handle(event, at: now, into: &actions)
        var index = 0
        // Actions may lead to events, whose actions follow in the same list.
        while index < actions.count {
            perform(actions[index])
            index += 1
        }
        actions.removeAll(keepingCapacity: true)
        while let event = consequences.popLast() { handle(event) }
    }

    private mutating func plan() {
        let input = scheduler.planningInput(at: now)
        let plan = controller.plan(input, at: now)
        handle(.planned(plan))
    }

    private mutating func perform(_ action: Scheduler.Action) {
        switch action {
        case .dispatch(let id, let placement):
            let index = Int(id.rawValue)
            let endpoint = placement.endpoint.index
            outcomes[index].endpoint = endpoint
            outcomes[index].retries = placement.attempt - 1
            outcomes[index].predictedEnergy = placement.estimate.marginalEnergy
            engines[endpoint].submit(work(index), at: now)
            wakes[endpoint] = engines[endpoint].nextEvent() ?? .distantFuture
        case .reject(let id, _):
            open -= 1
            lastEnd = max(lastEnd, now)
            outcomes[Int(id.rawValue)].finishedAt = nil
        case .attributed(let id, let attribution):
            outcomes[Int(id.rawValue)].attributedEnergy += attribution.marginal
        case .queue, .endpointStateChanged, .charged: break
        case .sleep(let id):
            let slept = engines[id.index].sleep(at: now)
            consequences.append(.powerStateChanged(id, slept ? .asleep : .awake))
        case .wake(let id):
            wakeUps += 1
            let isWaking = engines[id.index].wake(at: now)
            if !isWaking { consequences.append(.powerStateChanged(id, .awake)) }
            wakes[id.index] = engines[id.index].nextEvent() ?? .distantFuture
        }
    }

    private func work(_ index: Int) -> EngineRequest {
        var work = EngineRequest(
            id: UInt64(index), inputTokens: outcomes[index].inputTokens,
            outputTokens: outcomes[index].outputTokens)
        if let prompt = workload.arrivals[index].prompt {
            work.prefix = workload.prompts[prompt].blocks
        }
        return work
    }

    private mutating func advance(_ endpoint: Int) {
        engines[endpoint].advance(to: now, into: &outputs)
        wakes[endpoint] = engines[endpoint].nextEvent() ?? .distantFuture
        for output in outputs { take(output, from: endpoint) }
        outputs.removeAll(keepingCapacity: true)
    }

    private mutating func take(_ output: EngineOutput, from endpoint: Int) {
        switch output {
        case .started(let id, _, let cached): outcomes[Int(id)].cachedTokens = cached
        case .tokens(let id, let first, _, let at):
            guard first == 0 else { return }
            outcomes[Int(id)].firstTokenAt = at
            handle(.firstToken(RequestID(id)))
        case .finished(let id, _, let at, let energy):
            open -= 1
            let idle = engines[outcomes[Int(id)].endpoint ?? 0].idlePower
            outcomes[Int(id)].trueEnergy = energy.aboveIdle(idle)
            lastEnd = max(lastEnd, at)
            outcomes[Int(id)].finishedAt = at
            let usage = Usage(
                inputTokens: outcomes[Int(id)].inputTokens,
                outputTokens: outcomes[Int(id)].outputTokens,
                cachedInputTokens: workload.arrivals[Int(id)].prompt == nil
                    ? nil : outcomes[Int(id)].cachedTokens)
            handle(.finished(RequestID(id), .init(outcome: .completed, usage: usage)))
        case .rejected(let id, let reason, _):
            switch reason {
            case .promptTooLong:
                handle(.attemptFailed(RequestID(id), .clientError(status: 400)))
                if outcomes[Int(id)].endpoint != nil { forget(Int(id)) }
            case .queueFull:
                handle(.attemptFailed(RequestID(id), .saturated(retryAfter: nil)))
            }
        case .awake: handle(.powerStateChanged(EndpointID(endpoint), .awake))
        }
    }

    /// A refusal that is the request's own fault is passed on to the client and ends it.
    private mutating func forget(_ index: Int) {
        handle(.finished(
            RequestID(UInt64(index)),
            .init(outcome: .failed(.clientError(status: 400)))))
    }

    private mutating func reportProgress() {
        tokens.removeAll(keepingCapacity: true)
        for index in engines.indices {
            guard engines[index].running > 0 else { continue }
            advance(index)
            for (id, count) in engines[index].progress where count > 0 {
                tokens.append(.init(request: RequestID(id), outputTokens: count))
            }
        }
        guard !tokens.isEmpty else { return }
        handle(.progress(tokens))
    }

    private consuming func record(until end: MonotonicTime) -> RunRecord {
        var energy = EnergyByState()
        var perEndpoint: [Joules] = []
        for index in engines.indices {
            var rest: [EngineOutput] = []
            engines[index].advance(to: end, into: &rest)
            let one = engines[index].energyByState(upTo: end)
            energy.add(one)
            perEndpoint.append(one.total)
        }
        return RunRecord(
            policy: director.name, outcomes: outcomes, length: end - .zero, energy: energy,
            idleFloor: fleet.idlePower * (end - .zero), energyByEndpoint: perEndpoint,
            decisions: decisions, wakeUps: wakeUps, power: power, powerErrors: meters.errors)
    }
}
