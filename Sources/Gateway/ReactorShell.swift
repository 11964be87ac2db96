import InferenceAPI
import InferenceTypes
import Scheduling
import Transport
import WireProtocols

/// The gateway on one reactor: takes requests from the server side, keeps their exchanges, speaks
/// to the shared scheduler once a turn and performs what it decides.
final class ReactorShell: ServerHandler {
    let reactor: Reactor
    let gateway: Gateway
    let directory: Directory
    let instruments: ReactorInstruments
    var table = RequestTable()
    /// By ``EndpointID``.
    private(set) var pools: [ClientPool] = []
    /// Header fields of the response being put together.
    var fields = FieldBlock()
    /// Bytes of the request head or body being put together.
    var text: [UInt8] = []

    /// Classification, if a model here is batched.
    private(set) lazy var desk = ClassifyDesk(self)
    private let classifies: Bool
    /// The wall clock as of the last look at deadlines, seconds since 1970.
    private(set) var unixSeconds = 0

    private var events = EventQueue()
    private var actions: [Scheduler.Action] = []
    private var deadlines: Timer?
    private var progress: Timer?

    private static let deadlineInterval = TimeSpan.milliseconds(50)
    private static let progressInterval = TimeSpan.milliseconds(250)

    init(reactor: Reactor, gateway: Gateway) {
        self.reactor = reactor
        self.gateway = gateway
        directory = gateway.directory
        instruments = ReactorInstruments(gateway, reactor: reactor.index)
        classifies = directory.lines.contains { $0 != nil }
        unixSeconds = Int(WallClock.now().seconds)
        super.init()
        pools = directory.endpoints.map { endpoint in
            ClientPool(
                reactor: reactor, address: endpoint.address, hostname: endpoint.hostname,
                tls: endpoint.tls, limits: directory.configuration.limits)
        }
        reactor.turnEnding = { [unowned self] in self.decide() }
        let deadlines = Timer(on: reactor) { [unowned self] in self.checkDeadlines() }
        deadlines.arm(after: Self.deadlineInterval)
        self.deadlines = deadlines
        let progress = Timer(on: reactor) { [unowned self] in self.reportProgress() }
        progress.arm(after: Self.progressInterval)
        self.progress = progress
    }

    var limits: Limits { directory.configuration.limits }

    // MARK: Requests

    override func head(_ stream: ServerStream) {
        do throws(APIError) {
            let route = try Route.resolve(stream.head)
            switch route {
            case .inference(let task):
                if reactor.server?.isOverloaded == true { throw .overloaded }
                let tenant = try directory.authenticate(stream.head)
                let exchange = table.claim(self)
                exchange.open(stream, task: task, tenant: tenant)
            case .decisions:
                if reactor.server?.isOverloaded == true { throw .overloaded }
                let tenant = try directory.authenticate(stream.head)
                let exchange = table.claim(self)
                exchange.messages.surface = .decisions
                exchange.open(stream, task: .classify, tenant: tenant)
            case .models, .model:
                _ = try directory.authenticate(stream.head)
            case .health, .liveness, .readiness, .version:
                break
            }
        } catch {
            answer(stream, error)
        }
    }

    override func request(_ stream: ServerStream) {
        if let exchange = stream.exchange as? Exchange {
            exchange.start()
            return
        }
        do {
            switch try Route.resolve(stream.head) {
            case .models: answerModels(stream)
            case .model(let id): try answerModel(stream, id)
            case .health, .liveness: answer(stream, status: 200, json: "{\"status\":\"ok\"}")
            case .readiness: answerReadiness(stream)
            case .version:
                answer(stream, status: 200, json: "{\"version\":\"\(Gateway.version)\"}")
            case .inference, .decisions: stream.abort()
            }
        } catch {
            answer(stream, error)
        }
    }

    override func refused(_ stream: ServerStream, _ refusal: RequestRefusal) {
        let error = APIError(refusal, limits: limits)
        if let exchange = stream.exchange as? Exchange {
            exchange.refuse(error)
        } else {
            answer(stream, error)
        }
    }

    override func drained(_ stream: ServerStream) {
        (stream.exchange as? Exchange)?.clientDrained()
    }

    override func gone(_ stream: ServerStream) {
        (stream.exchange as? Exchange)?.clientGone()
    }

    override func ended() { table = RequestTable() }

    // MARK: Scheduler

    /// Notes an event; it is handed in when the turn ends.
    @inline(__always)
    func submit(_ event: consuming Scheduler.Event) { events.append(event) }

    private func decide() {
        if classifies { desk.turnEnding() }
        // An action may cause another event (a dispatch whose connection cannot be opened): a few
        // rounds settle everything that needs no answer from outside.
        var rounds = 0
        while !events.isEmpty, rounds < 8 {
            rounds += 1
            actions.removeAll(keepingCapacity: true)
            gateway.scheduler.handle(&events, at: reactor.now, into: &actions)
            perform(actions)
            // Batches that ended make room for others.
            if classifies { desk.turnEnding() }
        }
        if !events.isEmpty { reactor.post { _ in } }
    }

    /// Performs actions on this reactor's requests and passes the others on.
    func perform(_ actions: [Scheduler.Action]) {
        // By their places: an action is long, and each name for one would be a copy.
        for place in actions.indices {
            switch actions[place] {
            case .dispatch(let id, let placement) where isOwn(id):
                dispatch(id, placement)
            case .reject(let id, let rejection) where isOwn(id):
                reject(id, rejection)
            case .dispatch(let id, _), .queue(let id), .reject(let id, _):
                if !isOwn(id) { gateway.forward(actions[place], to: id.reactor) }
            case .endpointStateChanged(let endpoint, let condition):
                gateway.endpointChanged(endpoint, condition)
            case .charged(let id, let energy):
                if id.isBatch {
                    desk.flights.find(id)?.charged(energy)
                } else {
                    table.find(id)?.charged(energy)
                }
            case .attributed: break
            case .sleep, .wake: gateway.switchPower(actions[place])
            }
        }
    }

    @inline(__always)
    private func isOwn(_ id: RequestID) -> Bool { id.reactor == reactor.index }

    private func dispatch(_ id: RequestID, _ placement: borrowing Placement) {
        if id.isBatch {
            desk.flights.find(id)?.dispatch(placement)
        } else {
            table.find(id)?.dispatch(placement)
        }
    }

    private func reject(_ id: RequestID, _ rejection: Rejection) {
        if id.isBatch {
            desk.flights.find(id)?.reject(rejection)
        } else {
            table.find(id)?.reject(rejection)
        }
    }

    private func checkDeadlines() {
        var held = 0
        for exchange in table.exchanges where exchange.isActive {
            exchange.checkDeadlines(at: reactor.now)
            held += exchange.collected.count
        }
        if classifies { desk.checkDeadlines(at: reactor.now) }
        unixSeconds = Int(WallClock.now().seconds)
        reactor.server?.hold(answers: held)
        instruments.sample(self)
        deadlines?.arm(after: Self.deadlineInterval)
    }

    private func reportProgress() {
        var report: [Scheduler.TokenProgress] = []
        for exchange in table.exchanges where exchange.isActive {
            if let entry = exchange.takeProgress() { report.append(entry) }
        }
        if !report.isEmpty { submit(.progress(report)) }
        progress?.arm(after: Self.progressInterval)
    }

    /// Requests, and connections whose last bytes have not left.
    var unfinishedWork: Int {
        let unsent = reactor.server?.connections.count { $0.bufferedBytes > 0 } ?? 0
        return table.active + unsent
    }

    func closeUpstreams() {
        for pool in pools { pool.closeAll() }
    }

    /// The drain deadline has come: what still runs ends with a visible error.
    func cutAll() {
        for exchange in table.exchanges where exchange.isActive { exchange.cutForShutdown() }
    }
}
