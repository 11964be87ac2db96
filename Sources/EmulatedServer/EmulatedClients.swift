import InferenceTypes
import Transport
import WireProtocols

/// Clients for a demonstration: chat requests at random moments (Poisson arrivals), every other one
/// streaming, in Korean and English, of unlike lengths. What comes back is thrown away.
public final class EmulatedClients: Sendable {
    private let group: ReactorGroup

    /// - Parameter rate: requests per second, on average.
    public init(address: SocketAddress, model: String, rate: Double, seed: UInt64 = 7) throws {
        group = try ReactorGroup(count: 1)
        let rate = max(0.01, rate)
        group.reactors[0].post { reactor in
            reactor.context = Arrivals(
                reactor: reactor, address: address, model: model, rate: rate, seed: seed)
        }
    }

    public func start() { group.start() }

    public func stop() {
        group.stop()
        group.join()
    }
}

/// The next arrival, again and again.
private final class Arrivals {
    private let reactor: Reactor
    private let pool: ClientPool
    private let model: String
    private let rate: Double
    private var random: RandomSource
    private var timer: Timer?

    /// What people ask: a greeting, a question, a summary of a long call.
    private static let prompts = [
        "안녕하세요, 오늘 일정 알려 주세요.", "Summarise this call in three sentences: ",
        "What is the weather like in Seoul tomorrow?", "다음 통화 내용을 요약해 주세요: ",
    ]
    private static let callLine = "고객: 요금제를 바꾸고 싶어요. Agent: Of course, which plan? "

    init(reactor: Reactor, address: SocketAddress, model: String, rate: Double, seed: UInt64) {
        self.reactor = reactor
        self.model = model
        self.rate = rate
        random = RandomSource(seed: seed)
        pool = ClientPool(
            reactor: reactor, address: address, hostname: address.host, tls: nil,
            limits: Limits())
        let timer = Timer(on: reactor) { [unowned self] in self.arrive() }
        timer.arm(after: .milliseconds(100))
        self.timer = timer
    }

    private func arrive() {
        let body = request()
        var text: [UInt8] = []
        HTTP1Writer.append("POST /v1/chat/completions HTTP/1.1\r\nhost: demo\r\n", to: &text)
        HTTP1Writer.append("content-type: application/json\r\ncontent-length: ", to: &text)
        HTTP1Writer.appendDecimal(body.utf8.count, to: &text)
        HTTP1Writer.append("\r\n\r\n", to: &text)
        HTTP1Writer.append(body, to: &text)
        // The connection keeps its handler until the answer is complete.
        let connection = try? pool.acquire(for: ClientHandler())
        text.withUnsafeBytes { connection?.send($0) }
        // The gaps of a Poisson process are exponential.
        let gap = -Mathematics.log(1 - random.nextUnit()) / rate
        timer?.arm(after: TimeSpan(seconds: gap))
    }

    private func request() -> String {
        let prompt = Self.prompts[random.nextIndex(below: Self.prompts.count)]
        let isSummary = prompt.hasSuffix(": ")
        let lines = isSummary ? 20 + random.nextIndex(below: 60) : 0
        let content = prompt + String(repeating: Self.callLine, count: lines)
        let tokens = 16 + random.nextIndex(below: 200)
        let stream = random.nextIndex(below: 2) == 0
        return "{\"model\":\"\(model)\",\"stream\":\(stream),\"max_tokens\":\(tokens),"
            + "\"messages\":[{\"role\":\"user\",\"content\":\"\(content)\"}]}"
    }
}
