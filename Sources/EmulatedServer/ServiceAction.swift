import InferenceTypes

/// One HTTP request as the service sees it.
public struct ServiceRequest: Sendable {
    /// The shell's handle for the exchange; unique among the open ones.
    public var id: UInt64
    public var method: String
    /// Path with query.
    public var target: String
    /// `X-Request-Id`.
    public var requestID: String?
    /// `X-Emulated-Fault`; the body's `emulated_fault` goes first.
    public var fault: String?
    public var body: [UInt8]

    public init(
        id: UInt64, method: String, target: String, requestID: String? = nil,
        fault: String? = nil, body: [UInt8] = []
    ) {
        self.id = id
        self.method = method
        self.target = target
        self.requestID = requestID
        self.fault = fault
        self.body = body
    }
}

/// What the shell has to do, in this order.
public enum ServiceAction: Equatable, Sendable {
    /// How the end of a body is told.
    public enum Framing: Equatable, Sendable {
        case length(Int)
        case chunked
        /// By the end of the connection.
        case close
        /// Chunks again, but ones between which raw bytes may come.
        case handMadeChunks
    }

    /// The head. `announcesClose`: with `connection: close`.
    case respond(
        id: UInt64, status: Int, contentType: String, framing: Framing, announcesClose: Bool)
    /// Bytes of the body, as a range in ``ServiceOutput/bytes``.
    case send(id: UInt64, bytes: Range<Int>)
    /// The same, but between hand-made chunks: they go onto the connection as they are.
    case sendRaw(id: UInt64, bytes: Range<Int>)
    /// The body is complete.
    case finish(id: UInt64)
    /// Closes the connection so long after what was sent before has left.
    case abort(id: UInt64, after: TimeSpan)
}

/// Actions and the bytes that they point into.
public struct ServiceOutput: Sendable {
    public var actions: [ServiceAction] = []
    public var bytes: [UInt8] = []

    public init() {}

    public mutating func removeAll() {
        actions.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    mutating func abort(_ id: UInt64) { actions.append(.abort(id: id, after: .zero)) }

    mutating func send(_ id: UInt64, _ text: [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: text)
        actions.append(.send(id: id, bytes: start..<bytes.count))
    }

    mutating func sendRaw(_ id: UInt64, _ text: [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: text)
        actions.append(.sendRaw(id: id, bytes: start..<bytes.count))
    }
}
