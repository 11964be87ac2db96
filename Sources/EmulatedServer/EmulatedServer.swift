import EmulatedEngine
import InferenceTypes
import Synchronization
import Transport
import WireProtocols

/// A model server that only pretends to compute: the wire of vLLM, vllm-rbln or llama-server, the
/// time and the power of a profile, and the power exporter beside it. One thread runs the engine
/// and its connections, another one the exporter; several servers may live in one process.
///
/// - `start` binds and serves; `port` and `exporterPort` then say where.
/// - `run` starts if nobody has, and waits for `stop`.
/// - `stop` closes every connection at once, as a killed process would; `start` after it begins
///   anew on the same ports with an empty engine.
public final class EmulatedServer: Sendable {
    public struct Options: Sendable {
        public var service: ServiceOptions
        /// Host name and device uuid on the exporter's page.
        public var name = "emulated"
        /// A numeric address.
        public var host = "127.0.0.1"
        /// 0: any.
        public var port: UInt16 = 0
        /// 0: any; `nil`: no exporter.
        public var exporterPort: UInt16? = 0
        /// `nil`: the one that goes with the engine.
        public var exporter: ExporterPage.Kind?
        /// How old the exporter's page may be (dcgm-exporter: 30 s, rbln-metrics-exporter: 5 s).
        public var exporterInterval = TimeSpan.zero
        /// Idle connections are closed after this, to half a second.
        public var keepAlive = TimeSpan.seconds(5)

        public init(service: ServiceOptions) { self.service = service }
    }

    private struct State {
        var groups: [ReactorGroup] = []
        var box: EngineReadingBox?
        var port: UInt16
        var exporterPort: UInt16?
    }

    public let options: Options
    private let state: Mutex<State>

    public init(_ options: Options) {
        self.options = options
        state = Mutex(State(port: options.port, exporterPort: options.exporterPort))
    }

    /// The port of the model server; known once `start` has returned.
    public var port: UInt16 { state.withLock { $0.port } }
    public var exporterPort: UInt16? { state.withLock { $0.exporterPort } }

    /// - Throws: `SystemError` if a port is taken or the address is not numeric.
    public func start() throws {
        let box = EngineReadingBox(
            EngineReading(
                at: MonotonicClock.now(), power: options.service.profile.idlePower,
                energy: .zero, isBusy: false))
        let before = state.withLock { $0 }
        guard before.groups.isEmpty else { return }

        var started: [ReactorGroup] = []
        let socket = try bound(before.port)
        let exporterSocket: BoundSocket?
        do {
            exporterSocket = try before.exporterPort.map { try bound($0) }
        } catch {
            try Self.release(socket)
            throw error
        }
        let serviceOptions = options.service
        let limits = self.limits
        let group = try ReactorGroup(count: 1)
        group.reactors[0].post { reactor in
            let service = EmulatedService(serviceOptions, startingAt: reactor.now)
            let handler = ModelServerHandler(service: service, reactor: reactor, box: box)
            reactor.server = Server(reactor: reactor, handler: handler, limits: limits)
        }
        group.listen(on: socket, tls: nil)
        started.append(group)

        if let exporterSocket {
            let options = self.options
            let exporter = try ReactorGroup(count: 1)
            exporter.reactors[0].post { reactor in
                let handler = ExporterHandler(options: options, box: box)
                reactor.server = Server(reactor: reactor, handler: handler, limits: Limits())
            }
            exporter.listen(on: exporterSocket, tls: nil)
            started.append(exporter)
        }
        state.withLock { state in
            state.groups = started
            state.box = box
            state.port = socket.address.port
            state.exporterPort = exporterSocket?.address.port
        }
        for group in started { group.start() }
    }

    /// Serves until `stop`.
    public func run() throws {
        try start()
        for group in state.withLock({ $0.groups }) { group.join() }
    }

    public func stop() {
        let groups = state.withLock { state in
            defer { state.groups = [] }
            return state.groups
        }
        for group in groups {
            group.stopListening()
            group.reactors[0].post { $0.server?.closeAll() }
            group.stop()
        }
        for group in groups { group.join() }
    }

    // MARK: The truth, from any thread

    /// The integral of the engine's power since `start`; zero before it.
    public var trueEnergy: Joules {
        state.withLock { $0.box }?.reading.energy(at: MonotonicClock.now()) ?? .zero
    }

    public var truePower: Watts { state.withLock { $0.box }?.reading.power ?? .zero }

    private func bound(_ port: UInt16) throws -> BoundSocket {
        guard let address = SocketAddress(host: options.host, port: port) else {
            throw InvalidAddress(host: options.host)
        }
        return try BoundSocket(address)
    }

    /// Closes a socket that nobody will accept from.
    private static func release(_ socket: BoundSocket) throws {
        let group = try ReactorGroup(count: 1)
        group.listen(on: socket, tls: nil)
        group.stopListening()
        group.stop()
        group.start()
        group.join()
    }

    private var limits: Limits {
        var limits = Limits()
        limits.idleTimeout = options.keepAlive
        for entry in options.service.faults.entries {
            if case .keepaliveClose(let milliseconds) = entry.fault {
                limits.idleTimeout = .milliseconds(Int64(milliseconds))
            }
        }
        return limits
    }

    /// The host is a name; only numeric addresses are taken.
    public struct InvalidAddress: Error, CustomStringConvertible {
        public let host: String
        public var description: String { "'\(host)' is not a numeric address" }
    }
}
