import Configuration
import Glibc
import InferenceAPI
import InferenceTypes
import Logging
import Scheduling
import Synchronization
import Telemetry
import Transport
import WireProtocols

/// The running gateway: its reactors, its one scheduler, its control thread.
public final class Gateway: Sendable {
    public static let version = "0.1.0"

    public let configuration: GatewayConfiguration
    let directory: Directory
    let scheduler: SharedScheduler
    let instruments: GatewayInstruments
    let registry: MetricRegistry
    let availability = Availability()
    let power: PowerBoard
    let advice = AdviceBoard()
    let totals: Totals
    let classification: ClassificationBoard
    let group: ReactorGroup
    let control: Reactor
    let logger: Logger
    let log: RequestLog
    /// Tells this process' request ids from those of the one before it.
    let instance: UInt32
    /// Seeded anew in every process.
    let promptHash: PromptHash
    let startedAtUnix: Int
    let draining = Atomic<Bool>(false)
    private let sockets: Mutex<[(socket: BoundSocket, tls: TLSContext?)]>
    private let adminSocket: BoundSocket
    let controlThread = Mutex<pthread_t?>(nil)

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Binds every port and loads every certificate, so that whatever is wrong shows before
    /// anything runs.
    public init(
        _ configuration: GatewayConfiguration, logger: Logger, seed: UInt64? = nil
    ) throws {
        guard HTTP2Library.isPatched else { throw GatewayError.unpatchedHTTP2Library }
        self.configuration = configuration
        self.logger = logger
        let count = RequestID.reactors(
            asked: configuration.threads, online: ProcessorCount.online())
        directory = try Directory(configuration, reactors: count)
        let unix = WallClock.now()
        startedAtUnix = Int(unix.seconds)
        instance = UInt32(truncatingIfNeeded: unix.nanoseconds >> 10)
        var chance = SystemRandomNumberGenerator()
        promptHash = PromptHash(random: &chance)
        group = try ReactorGroup(count: count)
        control = try Reactor(index: count)
        classification = try ClassificationBoard(
            configuration, reactors: count, load: ControlWeights.load)
        log = RequestLog(logger: logger, control: control)
        var builder = MetricRegistryBuilder()
        instruments = GatewayInstruments(
            names: GatewayInstruments.Names(
                pools: configuration.pools.map(\.name), models: configuration.models.map(\.name),
                tenants: ["anonymous"] + configuration.tenants.map(\.name)),
            version: Gateway.version, in: &builder)
        registry = builder.build(shards: count + 1)
        power = PowerBoard(meters: configuration.meters)
        totals = Totals(pools: configuration.pools.count, reactors: count)
        var bound: [(socket: BoundSocket, tls: TLSContext?)] = []
        for listener in configuration.listeners { bound.append(try Gateway.bind(listener)) }
        sockets = Mutex(bound)
        adminSocket = try BoundSocket(
            Gateway.address(configuration.admin.address, configuration.admin.port))
        // Last, so that a start that fails leaves the journal of the one before alone.
        let head = JournalHead(
            configuration, at: unix,
            seed: seed ?? UInt64(truncatingIfNeeded: unix.nanoseconds))
        let journal = try JournalFile(configuration, head, logger: logger)
        scheduler = SharedScheduler(head.scheduler(), from: head.start, journal: journal)
    }

    private static func bind(
        _ listener: GatewayConfiguration.Listener
    ) throws -> (socket: BoundSocket, tls: TLSContext?) {
        let tls = try listener.tls.map {
            try TLSContext.server(certificatePath: $0.certificate, keyPath: $0.key)
        }
        return (try BoundSocket(address(listener.address, listener.port)), tls)
    }

    private static func address(_ host: String, _ port: Int) throws -> SocketAddress {
        guard
            let address = SocketAddress.resolve(host: host, port: UInt16(clamping: port)).first
        else { throw GatewayError.unresolvable(host) }
        return address
    }

    /// Where it listens, in the order of the configuration; ports that the system chose are
    /// filled in.
    public var addresses: [SocketAddress] { sockets.withLock { $0.map(\.socket.address) } }
    public var adminAddress: SocketAddress { adminSocket.address }

    /// For a process that is nothing but the gateway: memory with prompts and keys in it is kept
    /// from core files and debuggers.
    public static func protectProcess() { ProcessProtection.forbidDumps() }

    /// Starts the threads and begins to accept.
    public func start() {
        let budgets = ServerBudgets(limits: configuration.limits)
        for reactor in group.reactors {
            let shell = ReactorShell(reactor: reactor, gateway: self)
            reactor.context = shell
            reactor.server = Server(
                reactor: reactor, handler: shell, limits: configuration.limits,
                budgets: budgets)
        }
        let plane = ControlPlane(reactor: control, gateway: self)
        control.context = plane
        plane.listen(on: adminSocket)
        scheduler.startJournal()
        registerCallbacks()
        group.start()
        let control = self.control
        controlThread.withLock { $0 = Thread.start(name: "control") { control.run() } }
        for (socket, tls) in sockets.withLock({ $0 }) { group.listen(on: socket, tls: tls) }
        if configuration.tenants.isEmpty {
            logger.warning("no tenants are configured: anyone who can connect may send requests")
        }
    }

    // MARK: Between threads

    /// Performs an action on the reactor that has the request.
    func forward(_ action: Scheduler.Action, to reactor: Int) {
        guard group.reactors.indices.contains(reactor) else { return }
        group.reactors[reactor].post { reactor in
            (reactor.context as? ReactorShell)?.perform([action])
        }
    }

    /// Orders are carried out by the control thread.
    func switchPower(_ action: Scheduler.Action) {
        control.post { control in (control.context as? ControlPlane)?.switchPower(action) }
    }

    func endpointChanged(_ id: EndpointID, _ condition: EndpointCondition) {
        let endpoint = directory.endpoints[id.index]
        let pool = directory.pool(endpoint.pool).name
        logger.notice(
            "endpoint changed",
            metadata: [
                "pool": "\(pool)", "endpoint": "\(endpoint.name)",
                "condition": "\(condition.rawValue)",
            ])
        control.post { control in
            (control.context as? ControlPlane)?.endpointChanged(id, condition)
        }
    }
}

/// Why the gateway does not start.
public enum GatewayError: Error, CustomStringConvertible {
    case unpatchedHTTP2Library
    case unresolvable(String)

    public var description: String {
        switch self {
        case .unpatchedHTTP2Library:
            "libnghttp2 lacks the fixes against resets and continuations without end; "
                + "install 1.61 or newer, or Debian's 1.52.0-1+deb12u3"
        case .unresolvable(let host): "the host name '\(host)' has no address"
        }
    }
}
