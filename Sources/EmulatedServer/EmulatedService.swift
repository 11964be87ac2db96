import EmulatedEngine
import InferenceTypes

/// A model server without its sockets: requests and time in, responses out. One engine behind the
/// surface of vLLM, vllm-rbln or llama-server, with faults on demand.
public struct EmulatedService {
    public let options: ServiceOptions
    public internal(set) var engine: EmulatedEngine
    /// Requests whose client left before the answer was complete.
    public internal(set) var abandoned = 0
    /// Faults that have struck.
    public internal(set) var faultsStruck = 0
    /// Unary answers of the engine.
    public internal(set) var unaryAnswers = 0

    let dialect: Dialect
    /// Exchanges that wait for the engine, by the shell's handle.
    var exchanges: [UInt64: Exchange] = [:]
    /// Which exchange an engine request belongs to.
    var owners: [UInt64: Exchange] = [:]
    /// Requests whose start a fault puts off, in the order of their time.
    var parked: [(at: MonotonicTime, request: ServiceRequest, faults: [Fault])] = []
    /// The newest requests that ran to their end.
    var ledger: [LedgerEntry] = []
    var random: RandomSource
    var nextEngineID: UInt64 = 1
    var responses: UInt64 = 0
    var engineOutput: [EngineOutput] = []

    /// What a request truly cost, for tests of the gateway's books.
    struct LedgerEntry {
        var responseID: String
        var inputTokens: Int
        var outputTokens: Int
        var energy: RequestEnergy
    }

    static let ledgerSize = 4_096

    public init(_ options: ServiceOptions, startingAt start: MonotonicTime) {
        self.options = options
        dialect = Dialect(kind: options.kind)
        engine = EmulatedEngine(
            profile: options.profile, kind: options.kind, seed: options.seed,
            options: options.engine, startingAt: start)
        random = RandomSource(seed: options.seed ^ 0x5E_4C_17)
    }

    public var openExchanges: Int { exchanges.count + parked.count }

    // MARK: Events

    public mutating func handle(
        _ request: ServiceRequest, at now: MonotonicTime, into output: inout ServiceOutput
    ) {
        pump(to: now, into: &output)
        let path = request.target.prefix { $0 != "?" }
        if request.method == "GET" || request.method == "HEAD" {
            answerPage(request.id, path: String(path), at: now, into: &output)
            return
        }
        if dialect.kind == .vllm, path == "/sleep" || path == "/wake_up" {
            switchPower(request.id, path: String(path), at: now, into: &output)
            return
        }
        var call: InferenceCall
        do {
            call = try InferenceCall.parse(request.body, continuesAlways: dialect.isLlama)
        } catch {
            refuse(request.id, 400, error.message, into: &output)
            return
        }
        let faults = options.faults.draw(asked: call.fault ?? request.fault, random: &random)
        for case .slowHeader(let milliseconds) in faults {
            faultsStruck += 1
            park(request, until: now + .milliseconds(Int64(milliseconds)), faults: faults)
            return
        }
        start(request, path: String(path), call, faults, at: now, into: &output)
    }

    /// The client has left.
    public mutating func disconnect(
        _ id: UInt64, at now: MonotonicTime, into output: inout ServiceOutput
    ) {
        pump(to: now, into: &output)
        parked.removeAll { $0.request.id == id }
        guard let exchange = exchanges[id] else { return }
        abandoned += 1
        drop(exchange, at: now)
    }

    public func nextEvent() -> MonotonicTime? {
        guard let first = parked.first?.at else { return engine.nextEvent() }
        return engine.nextEvent().map { min($0, first) } ?? first
    }

    public mutating func advance(to now: MonotonicTime, into output: inout ServiceOutput) {
        while let first = parked.first, first.at <= now {
            parked.removeFirst()
            pump(to: first.at, into: &output)
            let path = String(first.request.target.prefix { $0 != "?" })
            let body = first.request.body
            guard
                let call = try? InferenceCall.parse(body, continuesAlways: dialect.isLlama)
            else { continue }
            start(first.request, path: path, call, first.faults, at: first.at, into: &output)
        }
        pump(to: now, into: &output)
    }

    // MARK: Parts

    private mutating func park(
        _ request: ServiceRequest, until time: MonotonicTime, faults: [Fault]
    ) {
        let index = parked.firstIndex { $0.at > time } ?? parked.count
        parked.insert((at: time, request: request, faults: faults), at: index)
    }

    /// Everything that the engine has to say up to `now`.
    mutating func pump(to now: MonotonicTime, into output: inout ServiceOutput) {
        engineOutput.removeAll(keepingCapacity: true)
        engine.advance(to: now, into: &engineOutput)
        guard !engineOutput.isEmpty else { return }
        var items: [EngineOutput] = []
        swap(&items, &engineOutput)
        for item in items { route(item, into: &output) }
        swap(&items, &engineOutput)
    }

    private mutating func route(_ item: EngineOutput, into output: inout ServiceOutput) {
        switch item {
        case .started(let id, let at, let cached):
            guard let (exchange, part) = owner(of: id) else { return }
            exchange.parts[part].startedAt = at
            exchange.parts[part].cachedTokens = cached
        case .tokens(let id, _, let count, let at):
            guard let (exchange, part) = owner(of: id) else { return }
            if exchange.parts[part].produced == 0 { exchange.parts[part].firstTokenAt = at }
            exchange.parts[part].produced += count
            exchange.parts[part].endedAt = at
            if exchange.call.streams, exchange.surface.generates {
                streamTokens(exchange, part, count: count, at: at, into: &output)
            }
        case .finished(let id, let reason, let at, let energy):
            guard let (exchange, part) = owner(of: id) else { return }
            owners[id] = nil
            exchange.parts[part].finishReason = reason
            exchange.parts[part].endedAt = at
            exchange.parts[part].energy = energy
            exchange.unfinished -= 1
            finishPart(exchange, part, at: at, into: &output)
        case .rejected(let id, let reason, let at):
            guard let (exchange, _) = owner(of: id) else { return }
            drop(exchange, at: at)
            reject(exchange, reason, into: &output)
        case .awake: break
        }
    }

    private func owner(of id: UInt64) -> (Exchange, Int)? {
        guard let exchange = owners[id] else { return nil }
        return (exchange, Int(id - exchange.firstEngineID))
    }

    private func reject(
        _ exchange: Exchange, _ reason: RejectionReason, into output: inout ServiceOutput
    ) {
        guard !exchange.isHeadSent else {
            output.abort(exchange.id)
            return
        }
        switch reason {
        case .queueFull:
            refuse(exchange.id, 503, "The request queue is full.", into: &output)
        case .promptTooLong:
            refuse(
                exchange.id, 400,
                "This model's maximum context length is \(engine.contextLimit) tokens, but the "
                    + "request has \(exchange.inputTokens) input tokens.", into: &output)
        }
    }

    /// Forgets an exchange and frees what it holds in the engine.
    mutating func drop(_ exchange: Exchange, at now: MonotonicTime) {
        exchanges[exchange.id] = nil
        for index in exchange.parts.indices where exchange.parts[index].finishReason == nil {
            let id = exchange.firstEngineID + UInt64(index)
            owners[id] = nil
            engine.cancel(id, at: now)
        }
    }

    // MARK: Whole answers

    func answer(
        _ id: UInt64, status: Int = 200, contentType: String = "application/json",
        _ body: [UInt8], closes: Bool = false, into output: inout ServiceOutput
    ) {
        output.actions.append(
            .respond(
                id: id, status: status, contentType: contentType, framing: .length(body.count),
                announcesClose: closes))
        if !body.isEmpty { output.send(id, body) }
        if closes { output.abort(id) } else { output.actions.append(.finish(id: id)) }
    }

    func refuse(
        _ id: UInt64, _ status: Int, _ message: String, into output: inout ServiceOutput
    ) {
        answer(
            id, status: status, dialect.error(status: status, message: message),
            into: &output)
    }
}
