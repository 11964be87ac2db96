import Glibc
import InferenceTypes
import WireProtocols

/// One reactor's keep-alive connections to one upstream address. The most recently used one goes
/// first, so that surplus ones age out before the model server closes them.
public final class ClientPool {
    public let reactor: Reactor
    public let address: SocketAddress
    /// For SNI and certificate verification.
    public let hostname: String
    private let tls: TLSContext?
    let limits: Limits
    private var idle: [ClientConnection] = []
    private var all: [ClientConnection] = []
    private var sweep: Timer?
    private let link = Backlink<ClientPool>()

    public init(
        reactor: Reactor, address: SocketAddress, hostname: String, tls: TLSContext?,
        limits: Limits
    ) {
        self.reactor = reactor
        self.address = address
        self.hostname = hostname
        self.tls = tls
        self.limits = limits
        // The reactor may hold the timer longer than anybody holds the pool.
        let timer = Timer(on: reactor) { [link] in link.owner?.closeAged() }
        timer.arm(after: .milliseconds(500))
        sweep = timer
        link.owner = self
    }

    deinit { link.owner = nil }

    public var openConnections: Int { all.count }
    public var idleConnections: Int { idle.count }

    /// A connection for one exchange. `fresh` asks for a new one: the retry after a reused
    /// connection turned out to be dead.
    public func acquire(
        for handler: ClientHandler, fresh: Bool = false
    ) throws(ClientFailure) -> ClientConnection {
        if !fresh, let connection = idle.popLast() {
            connection.begin(handler)
            return connection
        }
        guard all.count < limits.upstreamConnectionsPerEndpoint else { throw .connect(EAGAIN) }
        let descriptor: Int32
        do {
            descriptor = try Socket.connect(to: address)
        } catch {
            throw .connect((error as? SystemError)?.code ?? EIO)
        }
        let connection: ClientConnection
        if let tls {
            guard let engine = TLSEngine(client: tls, hostname: hostname) else {
                Socket.discard(descriptor)
                throw .tls("out of memory")
            }
            connection = ClientConnection(pool: self, descriptor: descriptor, engine: engine)
        } else {
            connection = ClientConnection(pool: self, descriptor: descriptor, engine: nil)
        }
        connection.place = all.count
        all.append(connection)
        reactor.register(connection)
        connection.begin(handler)
        return connection
    }

    func becameIdle(_ connection: ClientConnection) { idle.append(connection) }

    func forget(_ connection: ClientConnection) {
        let place = connection.place
        guard place < all.count, all[place] === connection else { return }
        all.swapAt(place, all.count - 1)
        all[place].place = place
        all.removeLast()
        if let index = idle.firstIndex(where: { $0 === connection }) { idle.remove(at: index) }
    }

    /// Closes every connection that waits for nothing: at a reload or a changed address.
    public func closeIdle() {
        for connection in idle { connection.close() }
    }

    /// Closes every connection, whoever waits for it: at the end.
    public func closeAll() {
        for connection in all { connection.cancel() }
    }

    private func closeAged() {
        // Oldest first: the list is ordered by when a connection was put back.
        while let oldest = idle.first, reactor.now - oldest.idleSince > limits.upstreamIdleTimeout {
            oldest.close()
        }
        sweep?.arm(after: .milliseconds(500))
    }
}
