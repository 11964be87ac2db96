import InferenceTypes
import WireProtocols

/// One reactor's downstream side: its connections, its handler and the pool of stream objects.
public final class Server {
    public let reactor: Reactor
    public let handler: ServerHandler
    public let limits: Limits
    public private(set) var isDraining = false
    /// Open connections by protocol and TLS, for the metrics page.
    public private(set) var connections: [ServerConnection] = []
    public internal(set) var openStreams = 0

    /// Request bodies, and what waits for clients, in bytes of memory.
    var bodies: BudgetShare
    private var responses: BudgetShare
    /// What the handler holds of answers beside the streams' buffers.
    private var heldAnswers = 0
    /// A stream that has more than this waiting is full, and one that waits for room has it again
    /// when no more than that waits.
    private(set) var highWater: Int
    private(set) var lowWater = Server.usualLowWater

    private var spareStreams: [ServerStream] = []
    private var sweep: Timer?
    private let link = Backlink<Server>()

    /// How often deadlines of connections and stalled streams are looked at.
    static let sweepInterval = TimeSpan.milliseconds(500)
    private static let usualLowWater = 16 << 10

    /// - Parameter budgets: shared with the other servers of the process; by default its own.
    public init(
        reactor: Reactor, handler: ServerHandler, limits: Limits, budgets: ServerBudgets? = nil
    ) {
        self.reactor = reactor
        self.handler = handler
        self.limits = limits
        reactor.coalescing = StreamCoalescing(
            pause: .microseconds(Int64(limits.streamCoalescingMicroseconds)))
        let budgets = budgets ?? ServerBudgets(limits: limits)
        bodies = BudgetShare(of: budgets.bodies)
        responses = BudgetShare(of: budgets.responses)
        highWater = limits.streamBufferBytes / 4
        let timer = Timer(on: reactor) { [link] in link.owner?.sweepDeadlines() }
        timer.arm(after: Server.sweepInterval)
        sweep = timer
        link.owner = self
    }

    deinit { link.owner = nil }

    /// Takes over an accepted, non-blocking socket.
    public func adopt(descriptor: Int32, tls: TLSContext?) {
        Socket.disableNagle(descriptor)
        guard
            let connection = ServerConnection(descriptor: descriptor, server: self, tls: tls)
        else {
            Socket.discard(descriptor)
            reactor.connectionCount.subtract(1, ordering: .relaxed)
            return
        }
        connection.place = connections.count
        connections.append(connection)
        reactor.register(connection)
        if isDraining { connection.drain() }
    }

    /// Graceful stop: no new requests; running ones finish.
    public func drain() {
        isDraining = true
        for connection in connections { connection.drain() }
    }

    /// Second step of the stop, for connections that have not taken it yet.
    public func sayGoodbye() {
        for connection in connections { connection.sayGoodbye() }
    }

    /// Cuts what is left.
    public func closeAll() {
        for connection in connections { connection.close() }
    }

    /// What is open right now, for the metrics page.
    public struct Census {
        /// HTTP version (1 or 2), TLS or not, and how many.
        public var connections: [(version: Int, isTLS: Bool, count: Int)]
        /// Response bytes that wait for clients.
        public var bufferedBytes: Int
    }

    public func census() -> Census {
        var counts = [0, 0, 0, 0]
        var buffered = 0
        for connection in connections {
            counts[(connection.isHTTP2 ? 2 : 0) + (connection.isTLS ? 1 : 0)] += 1
            buffered += connection.bufferedBytes
        }
        return Census(
            connections: [
                (1, false, counts[0]), (1, true, counts[1]), (2, false, counts[2]),
                (2, true, counts[3]),
            ], bufferedBytes: buffered)
    }

    func forget(_ connection: ServerConnection) {
        let place = connection.place
        guard place < connections.count, connections[place] === connection else { return }
        connections.swapAt(place, connections.count - 1)
        connections[place].place = place
        connections.removeLast()
        reactor.connectionCount.subtract(1, ordering: .relaxed)
    }

    func makeStream(for connection: ServerConnection) -> ServerStream {
        openStreams += 1
        let stream = spareStreams.popLast() ?? ServerStream()
        stream.connection = connection
        stream.openedAt = reactor.now
        stream.lastArrival = reactor.now
        stream.lastDeparture = reactor.now
        stream.lastSent = 0
        return stream
    }

    func recycle(_ stream: ServerStream) {
        openStreams -= 1
        stream.isDead = true
        stream.connection = nil
        bodies.add(-stream.chargedBytes)
        stream.chargedBytes = 0
        // A handler that has not let go yet keeps the object: it must not become another request.
        guard spareStreams.count < 256, stream.exchange == nil else { return }
        stream.reset()
        spareStreams.append(stream)
    }

    // MARK: Memory

    /// True while the process holds as much as it may: the handler should refuse what is new.
    public var isOverloaded: Bool { bodies.isExceeded || responses.isExceeded }

    /// Tells how much the handler itself holds of answers that have not come to a stream yet.
    public func hold(answers bytes: Int) {
        heldAnswers = bytes
        noteBuffers()
    }

    func chargeBody(of stream: ServerStream) {
        let capacity = stream.body.capacity
        guard capacity != stream.chargedBytes else { return }
        bodies.add(capacity - stream.chargedBytes)
        stream.chargedBytes = capacity
    }

    /// Looks at what waits for clients. While the whole process is over its budget, a stream is
    /// full as soon as anything waits in it.
    func noteBuffers() {
        responses.set(reactor.blocks.usedBytes + heldAnswers)
        let isTight = responses.isExceeded
        highWater = isTight ? 0 : limits.streamBufferBytes / 4
        lowWater = isTight ? 0 : Server.usualLowWater
    }

    private func sweepDeadlines() {
        noteBuffers()
        for connection in connections { connection.checkDeadlines(at: reactor.now) }
        sweep?.arm(after: Server.sweepInterval)
    }
}
