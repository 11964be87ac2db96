import InferenceTypes
import Transport
import WireProtocols

/// One request from the control thread: a health probe, a page of metrics, an order. The body is
/// bounded and the whole has a deadline.
final class ControlFetch: ClientHandler {
    enum Outcome {
        case answered(status: Int, body: [UInt8])
        case failed
    }

    static let bodyLimit = 4 << 20

    private let completion: (Outcome) -> Void
    private var connection: ClientConnection?
    private var status = 0
    private var body: [UInt8] = []
    private var timer: Timer?
    private var isOver = false
    private var hasRetried = false
    private let pool: ClientPool
    private let path: String
    private let authority: String
    private let method: StaticString

    /// Starts at once; `completion` is called exactly once, on the reactor's thread.
    init(
        pool: ClientPool, authority: String, path: String, method: StaticString = "GET",
        timeout: TimeSpan,
        completion: @escaping (Outcome) -> Void
    ) {
        self.pool = pool
        self.path = path
        self.method = method
        self.authority = authority
        self.completion = completion
        super.init()
        // The timer holds the fetch until it is over.
        let timer = Timer(on: pool.reactor) { self.finish(.failed) }
        timer.arm(after: timeout)
        self.timer = timer
        begin(fresh: false)
    }

    private func begin(fresh: Bool) {
        var text: [UInt8] = []
        HTTP1Writer.append("\(method) ", to: &text)
        HTTP1Writer.append(path, to: &text)
        HTTP1Writer.append(" HTTP/1.1\r\nhost: ", to: &text)
        HTTP1Writer.append(authority, to: &text)
        HTTP1Writer.append("\r\nuser-agent: joulegate\r\naccept: */*\r\n", to: &text)
        if !hasMethod("GET") { HTTP1Writer.append("content-length: 0\r\n", to: &text) }
        HTTP1Writer.append("\r\n", to: &text)
        do {
            let connection = try pool.acquire(for: self, fresh: fresh)
            self.connection = connection
            text.withUnsafeBytes { connection.send($0) }
        } catch {
            finish(.failed)
        }
    }

    private func hasMethod(_ name: String) -> Bool { "\(method)" == name }

    override func responded(_ connection: ClientConnection, _ head: HTTP1ResponseHead) {
        status = head.status
    }

    override func received(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer) {
        guard body.count + bytes.count <= Self.bodyLimit else {
            finish(.failed)
            return
        }
        body.append(contentsOf: bytes)
    }

    override func ended(_ connection: ClientConnection, isCloseDelimited: Bool) {
        self.connection = nil
        finish(.answered(status: status, body: body))
    }

    override func failed(_ connection: ClientConnection, _ failure: ClientFailure) {
        self.connection = nil
        if failure == .closedBeforeResponse, connection.isReused, !hasRetried {
            hasRetried = true
            begin(fresh: true)
        } else {
            finish(.failed)
        }
    }

    private func finish(_ outcome: Outcome) {
        guard !isOver else { return }
        isOver = true
        timer?.disarm()
        timer = nil
        connection?.cancel()
        connection = nil
        completion(outcome)
    }
}
