import Configuration
import InferenceTypes
import Scheduling
import Telemetry
import Transport

/// The control thread's work: probes, scrapes, meters, expiry, and the admin surface. It runs on a
/// reactor of its own, so none of it blocks, and nothing of it delays a request.
final class ControlPlane {
    let reactor: Reactor
    let gateway: Gateway
    private let endpointPools: [ClientPool]
    private var meterPages: [MeterSourcePage] = []
    /// Windows of the meters become events.
    private(set) lazy var desk = MeterDesk(
        gateway.configuration, board: gateway.power, at: reactor.now,
        submit: { [unowned self] in self.submit(.metered($0)) },
        relabel: { [unowned self] in self.submit(.relabelled($0, label: $1)) })
    private var timers: [Timer] = []
    private var powerSwitch: PowerSwitch?
    private var conditions: [EndpointCondition]

    init(reactor: Reactor, gateway: Gateway) {
        self.reactor = reactor
        self.gateway = gateway
        let limits = gateway.configuration.limits
        endpointPools = gateway.directory.endpoints.map { endpoint in
            ClientPool(
                reactor: reactor, address: endpoint.address, hostname: endpoint.hostname,
                tls: endpoint.tls, limits: limits)
        }
        conditions = Array(repeating: .active, count: gateway.directory.endpoints.count)
        meterPages = MeterSourcePage.all(of: gateway.configuration, reactor: reactor)
        let configuration = gateway.configuration
        every(.milliseconds(20)) { [unowned self] in self.expire() }
        every(.milliseconds(250)) { [unowned self] in self.refreshAvailability() }
        every(configuration.probes.interval) { [unowned self] in self.probe() }
        every(configuration.scrapes.interval) { [unowned self] in self.scrape() }
        let powerSwitch = PowerSwitch(plane: self)
        self.powerSwitch = powerSwitch
        every(powerSwitch.interval) { powerSwitch.plan() }
        every(configuration.probes.interval) { powerSwitch.check() }
        refreshAvailability()
    }

    func pool(of endpoint: EndpointID) -> ClientPool { endpointPools[endpoint.index] }

    /// An order to sleep or to wake.
    func switchPower(_ action: Scheduler.Action) {
        switch action {
        case .sleep(let id): powerSwitch?.sleep(id)
        case .wake(let id): powerSwitch?.wake(id)
        default: break
        }
    }

    func listen(on socket: BoundSocket) {
        let handler = AdminHandler(plane: self)
        reactor.server = Server(
            reactor: reactor, handler: handler, limits: gateway.configuration.limits)
        reactor.listen(on: socket, tls: nil)
    }

    /// Runs `work` soon, then again and again.
    private func every(_ interval: TimeSpan, _ work: @escaping () -> Void) {
        let index = timers.count
        let timer = Timer(on: reactor) { [unowned self] in
            work()
            self.timers[index].arm(after: interval)
        }
        timers.append(timer)
        timer.arm(after: .milliseconds(1))
    }

    // MARK: Scheduler

    func submit(_ event: Scheduler.Event) {
        var actions: [Scheduler.Action] = []
        gateway.scheduler.handle(event, at: reactor.now, into: &actions)
        perform(actions)
    }

    private func expire() {
        var actions: [Scheduler.Action] = []
        gateway.scheduler.expire(at: reactor.now, into: &actions)
        perform(actions)
    }

    private func perform(_ actions: [Scheduler.Action]) {
        for action in actions {
            switch action {
            case .dispatch(let id, _), .queue(let id), .reject(let id, _):
                gateway.forward(action, to: id.reactor)
            case .endpointStateChanged(let endpoint, let condition):
                gateway.endpointChanged(endpoint, condition)
            case .charged, .attributed: break
            case .sleep, .wake: switchPower(action)
            }
        }
    }

    func endpointChanged(_ id: EndpointID, _ condition: EndpointCondition) {
        guard conditions.indices.contains(id.index) else { return }
        if condition == .ejected {
            let pool = gateway.directory.endpoints[id.index].pool
            let name = gateway.directory.pool(pool).name
            let position = gateway.instruments.pools.position(of: name)
            gateway.instruments.ejections[position].add(
                shard: gateway.registry.shards[reactor.index])
        }
        conditions[id.index] = condition
        refreshAvailability()
    }

    func drain() { submit(.drainAll) }

    func closeUpstreams() {
        // A probe that falls due in this last turn would open a connection that nobody closes.
        for timer in timers { timer.disarm() }
        powerSwitch?.close()
        for pool in endpointPools { pool.closeAll() }
        for page in meterPages { page.close() }
    }

    private func refreshAvailability() {
        let snapshot = gateway.scheduler.snapshot(at: reactor.now)
        let usable = snapshot.endpoints.filter(\.condition.takesRequests).map(\.pool)
        gateway.availability.store(Set(usable))
        gateway.power.expire(at: reactor.now)
    }

    // MARK: Probes and scrapes

    private func probe() {
        let probes = gateway.configuration.probes
        for endpoint in gateway.directory.endpoints {
            _ = ControlFetch(
                pool: endpointPools[endpoint.id.index], authority: endpoint.authority,
                path: endpoint.pathPrefix + probes.path, timeout: probes.timeout
            ) { [unowned self] outcome in
                var isHealthy = false
                if case .answered(let status, _) = outcome { isHealthy = status == 200 }
                self.submit(.probed(endpoint.id, healthy: isHealthy))
            }
        }
    }

    private func scrape() {
        let timeout = max(gateway.configuration.scrapes.interval, .seconds(1))
        for endpoint in gateway.directory.endpoints {
            let kind = gateway.directory.pool(endpoint.pool).engine
            _ = ControlFetch(
                pool: endpointPools[endpoint.id.index], authority: endpoint.authority,
                path: endpoint.pathPrefix + "/metrics", timeout: timeout
            ) { [unowned self] outcome in
                guard case .answered(200, let body) = outcome else { return }
                self.noteLoad(endpoint.id, EngineLoadPage(body, engine: kind), of: kind)
            }
        }
        desk.tick(at: reactor.now)
        for page in meterPages { page.read(timeout: timeout, into: desk) }
    }

    private func noteLoad(
        _ endpoint: EndpointID, _ page: EngineLoadPage, of kind: EngineKind
    ) {
        // Without these two there is no load to speak of: "missing" is not "zero".
        guard let running = page.running, let waiting = page.waiting else { return }
        submit(
            .scraped(
                endpoint,
                Scheduler.ScrapedLoad(
                    running: Int(saturating: running), waiting: Int(saturating: waiting),
                    kvUsage: page.kvUsage, cache: page.cache(of: kind),
                    at: reactor.now)))
    }
}

extension EngineLoadPage {
    /// llama-server counts only those input tokens that it computed, and tells with every answer.
    fileprivate func cache(of kind: EngineKind) -> Scheduler.CacheReport {
        guard kind != .llamaServer else { return Scheduler.CacheReport() }
        return Scheduler.CacheReport(
            promptTokens: promptTokens, cachedPromptTokens: cachedPromptTokens,
            room: prefixCacheRoom)
    }
}

extension Int {
    /// A peer's number as a count: NaN and negatives are zero, the rest is cut at a million.
    init(saturating value: Double) {
        self = value > 0 ? Int(Swift.min(value, 1e6)) : 0
    }
}
